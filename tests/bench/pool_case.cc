// host-local alone, called as a plugin of its own, in a pool where 60,000 addresses are taken: the
// files are the reference's, made here, and the cursor stands before, in and behind them.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "case.h"
#include "network.h"
#include "private_net.h"
#include "program.h"

namespace unicni::bench {
namespace {

constexpr unsigned kTaken = 60000;
constexpr unsigned kFirstTaken = 1024;         // of the /16
constexpr std::chrono::seconds kPatience{25};  // with a pool that is slow
constexpr unsigned kFewest = 3;                // runs, however slow

std::string address(unsigned number) {
  return "10.98." + std::to_string(number / 256) + "." + std::to_string(number % 256);
}

void write_file(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::system_error(errno, std::generic_category(), "write " + path);
  }
  ::close(file);
}

/// A network's folder of reservations, in a tmpfs.
class Pool {
 public:
  explicit Pool(const std::string& name)
      : folder_("/run/bench-pool/" + name), config_(config(name)) {
    std::filesystem::create_directories(folder_);
  }
  void fill() const {
    for (unsigned i = 0; i < kTaken; ++i) {
      write_file(folder_ + '/' + address(kFirstTaken + i),
                 "other" + std::to_string(i) + "\r\neth0");
    }
  }
  /// The next address to be tried is the one behind `last`. The file exists already, so the
  /// folder's time stays.
  void set_cursor(unsigned last) const {
    write_file(folder_ + "/last_reserved_ip.0", address(last));
  }

  [[nodiscard]] Command verb(const std::string& plugins, const char* name,
                             const ContainerNet& net) const {
    return {{plugins + "/host-local"},
            {std::string("CNI_COMMAND=") + name, "CNI_CONTAINERID=bench-pool",
             "CNI_NETNS=" + net.path(), std::string("CNI_IFNAME=") + kLink, "CNI_PATH=" + plugins,
             kPath},
            config_};
  }

 private:
  static std::string config(const std::string& name) {
    return R"({"cniVersion":"1.0.0","name":")" + name +
           R"(","type":"bridge","ipam":{"type":"host-local","dataDir":"/run/bench-pool",)" +
           R"("subnet":"10.98.0.0/16"}})";
  }
  std::string folder_;
  std::string config_;
};

struct Place {
  std::string name;
  const Pool& pool;
  unsigned last;  ///< where the cursor stands
};

}  // namespace

void measure_pool(const Setting& setting, Report& report) {
  const Pool empty("empty");
  const Pool full("full");
  full.fill();
  const Place places[] = {{"pool empty", empty, kFirstTaken - 1},
                          {"pool 60,000, begin", full, kFirstTaken - 1},
                          {"pool 60,000, middle", full, kFirstTaken + kTaken / 2},
                          {"pool 60,000, end", full, kFirstTaken + kTaken - 1}};
  const ContainerNet net("/run/bench-netns/pool");
  const auto cycle = [&](const Place& place, const std::string& plugins, const char* candidate,
                         Report& to) {
    place.pool.set_cursor(place.last);
    for (const char* verb : {"ADD", "DEL"}) {
      const Outcome outcome = run_well(place.pool.verb(plugins, verb, net));
      to.add(place.name + " " + verb, candidate, outcome.milliseconds);
    }
  };
  // What was made without us must be read once.
  full.set_cursor(kFirstTaken - 1);
  report.add("pool 60,000, first ADD", kOurs,
             run_well(full.verb(setting.ours, "ADD", net)).milliseconds);
  run_well(full.verb(setting.ours, "DEL", net));

  Report warm_up;
  const auto begun = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    const unsigned counted = i < Setting::kWarmUps ? 0 : i - Setting::kWarmUps;
    if (counted >= kFewest && std::chrono::steady_clock::now() - begun > kPatience) break;
    for (const Place& place : places) {
      cycle(place, setting.ours, kOurs, i < Setting::kWarmUps ? warm_up : report);
    }
  }
  // Seconds each in the full pool, so once is enough, and last, since it changes the folder behind
  // our back.
  for (unsigned i = 0; i < kFewest; ++i) cycle(places[0], setting.reference, kReference, report);
  cycle(places[1], setting.reference, kReference, report);

  for (const char* verb : {" ADD", " DEL"}) {
    for (const Place& place : places) {
      if (&place.pool == &empty) continue;
      report.judge_ratio(
          {"host-local, " + place.name + verb + ", times empty", Bound::at_most, 1.5, "x"},
          report.median(place.name + verb, kOurs), report.median(places[0].name + verb, kOurs));
    }
  }
}

}  // namespace unicni::bench
