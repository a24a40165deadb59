// The list that clusters run: a process a plugin beside the reference's, and all in one process.
#include <memory>
#include <string>

#include "case.h"
#include "list_network.h"
#include "private_net.h"

namespace unicni::bench {
namespace {

constexpr const char* kOneProcess = "one process";
constexpr int kFirstPort = 20000;

struct Place {
  const char* candidate;
  HostNet host;  ///< its own: nobody's chains slow another one's packets and listings
  ListNetwork network;
};

void cycle(const Place& place, unsigned number, Report& report) {
  const ContainerNet net("/run/bench-netns/list" + std::to_string(number));
  const Server server(net);
  const std::string container = "list" + std::to_string(number);
  const int port = kFirstPort + static_cast<int>(number % 10000);
  const auto inside = place.host.enter();
  const ListNetwork::Attached attached = place.network.add(container, net, port);
  report.add("list ADD", place.candidate, attached.milliseconds);
  require_list(place.network, net, port, attached.result, place.candidate, true);
  report.add("list CHECK", place.candidate,
             place.network.check(container, net, port, attached.result));
  report.add("list DEL", place.candidate, place.network.del(container, net, port, attached.result));
  require_no_list(place.network, net, port, attached.result, place.candidate, true);
}

}  // namespace

void measure_list(const Setting& setting, Report& report) {
  Place places[] = {{kOurs, HostNet("/run/bench-netns/list-host-ours"),
                     ListNetwork(setting.ours, "list-ours", 101, false)},
                    {kOneProcess, HostNet("/run/bench-netns/list-host-one"),
                     ListNetwork(setting.ours, "list-one", 102, true)},
                    {kReference, HostNet("/run/bench-netns/list-host-ref"),
                     ListNetwork(setting.reference, "list-ref", 103, false)}};
  constexpr unsigned kPlaces = 3;
  Report warm_up;
  unsigned number = 0;
  for (const Place& place : places) {
    const auto inside = place.host.enter();
    run_well({{find_program("ip"), "link", "set", "lo", "up"}, {}, ""});
  }
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    for (unsigned turn = 0; turn < kPlaces; ++turn) {
      cycle(places[(i + turn) % kPlaces], number++, i < Setting::kWarmUps ? warm_up : report);
    }
  }
  const auto faster = [&](const char* verb, const char* candidate, double times) {
    const std::string row = std::string("list ") + verb;
    report.judge_ratio({row + " of " + candidate + ", times faster than the reference",
                        Bound::at_least, times, "x"},
                       report.median(row, kReference), report.median(row, candidate));
  };
  faster("ADD", kOurs, 8.0);
  faster("CHECK", kOurs, 5.0);
  faster("DEL", kOurs, 4.0);
  faster("ADD", kOneProcess, 18.0);
  faster("DEL", kOneProcess, 6.0);
}

}  // namespace unicni::bench
