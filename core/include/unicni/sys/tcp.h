// A question to a server, for IPAM that asks one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/sys/file.h"

namespace unicni::sys {

/// Connects to `port` of `server` from the caller's network namespace, sends `request` and returns
/// all that comes until the other side hangs up, as HTTP/1.0 has it. Throws Error(try_again) that
/// names the server: nobody listens, it isn't done by `deadline`, or sends more than `limit` bytes.
std::string ask_tcp(const IpAddress& server, std::uint16_t port, std::string_view request,
                    Deadline deadline, std::size_t limit = kFileLimit);

}  // namespace unicni::sys
