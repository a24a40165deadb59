// stdin: whatever a runtime sends. Nothing but an Error may come out, and what parses must print
// and parse again.
#include <cstdint>
#include <string>
#include <vector>

#include "options/parse.h"
#include "protocol/netconf.h"
#include "unicni/error.h"
#include "unicni/ipam/range.h"

namespace {

// One row of each kind, so that every branch of the option reader is within reach.
struct Everything {
  bool flag = false;
  std::int64_t number = 0;
  std::string text;
  std::optional<unicni::IpAddress> ip;
  std::optional<unicni::IpNet> net;
  std::optional<unicni::Mac> mac;
  std::vector<std::vector<unicni::ipam::RangeConfig>> ranges;
  std::vector<unicni::Route> routes;
  std::optional<unicni::Dns> dns;
  std::vector<std::string> ips;
};

constexpr unicni::Option kRows[] = {
    unicni::option<&Everything::flag>("isGateway", "boolean"),
    unicni::option<&Everything::number>("mtu", "integer").with_range(0, 65535),
    unicni::option<&Everything::text>("bridge", "string").with_default("cni0"),
    unicni::option<&Everything::ip>("gateway", "ip"),
    unicni::option<&Everything::net>("subnet", "cidr"),
    unicni::option<&Everything::mac>("mac", "mac").from(unicni::OptionSource::runtime_config),
    unicni::option<&Everything::ranges>("ranges", "list of lists of objects"),
    unicni::option<&Everything::routes>("routes", "list of objects"),
    unicni::option<&Everything::dns>("dns", "object"),
    unicni::option<&Everything::ips>("ips", "list of strings").from(unicni::OptionSource::args_cni),
};
constexpr unicni::OptionTable kTable = unicni::option_table<Everything>(kRows);

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using unicni::protocol::Netconf;
  try {
    const Netconf netconf = Netconf::parse(std::string(reinterpret_cast<const char*>(data), size));
    const auto careful = [](const auto& work) {
      try {
        work();
      } catch (const unicni::Error&) {
      }
    };
    for (const bool ipam : {false, true}) {
      for (const auto command : {unicni::Command::add, unicni::Command::del}) {
        std::vector<std::string> warnings;
        careful([&] {
          const auto parsed =
              unicni::options::parse(kTable, {netconf.json(), ipam, "", command}, warnings);
          const auto& options = *static_cast<const Everything*>(parsed.data());
          if (!options.ranges.empty()) unicni::ipam::canonical_sets(options.ranges);
        });
      }
    }
    careful([&] { static_cast<void>(netconf.valid_attachments()); });
    careful([&] {
      for (const Netconf& member : netconf.members()) Netconf::parse(member.text());
    });
    careful([&] {
      if (const auto result = netconf.prev_result()) {
        Netconf::parse(netconf.with_prev_result(&*result).text());
      }
    });
  } catch (const unicni::Error&) {
  }
  return 0;
}
