// Files of /etc/cni/net.d: whatever people and other programs write there. What is taken must make
// requests that the executable takes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/list_request.h"
#include "protocol/network_list.h"
#include "unicni/error.h"

namespace {

using unicni::Command;
namespace protocol = unicni::protocol;

void make_requests(const protocol::NetworkList& list) {
  for (const Command command : {Command::add, Command::gc}) {
    try {
      protocol::extent_of(list, command);
    } catch (const unicni::Error& error) {
      if (!error.is(unicni::Code::incompatible_version)) std::abort();
    }
    if (list.members.empty()) continue;
    std::string types;
    try {
      const auto request = protocol::make_list_request(
          list, command, {R"({"ips":["10.0.0.2/8"],"mac":"x"})", unicni::ValidAttachments()});
      const auto members = request.members();
      if (members.size() != list.members.size()) std::abort();
      for (std::size_t i = 0; i < members.size(); ++i) {
        if (members[i].type() != list.members[i].type || members[i].name() != list.name) {
          std::abort();
        }
      }
    } catch (const unicni::Error& error) {
      if (!error.is(unicni::Code::decode)) std::abort();  // nested too deep for one more level
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& parse : {protocol::parse_list, protocol::parse_plugin}) {
    try {
      const protocol::NetworkList list = parse(text, "file");
      make_requests(list);
      if (list.name.empty() || list.text.size() > protocol::kListFileLimit) continue;
      // What the cache keeps of it must be the same list.
      const protocol::NetworkList again = protocol::parse_list(list.text, "cache");
      if (again.name != list.name || again.members.size() != list.members.size()) std::abort();
    } catch (const unicni::Error&) {
    }
  }
  return 0;
}
