#include "unicni/net/dummy.h"

#include "net/link_message.h"

namespace unicni::net {

void add_dummy(Batch& batch, const LinkSpec& spec) { add_link(batch, spec, kDummy); }

}  // namespace unicni::net
