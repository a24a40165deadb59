#include "net/owned.h"

#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

namespace unicni::net {

void NlFree::operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
void NlFree::operator()(nl_cb* callbacks) const noexcept { nl_cb_put(callbacks); }
void NlFree::operator()(nl_msg* message) const noexcept { nlmsg_free(message); }

}  // namespace unicni::net
