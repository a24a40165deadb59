// The list that clusters run, by a program that uses the library: in its own process, and by a
// process a plugin, beside the bare executables and the reference's.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "case.h"
#include "list_network.h"
#include "network.h"
#include "private_net.h"

namespace unicni::bench {
namespace {

constexpr const char* kInProcess = "in process";
constexpr const char* kByProcesses = "by processes";
constexpr const char* kOneProcess = "one process";  // type "unicni": the executable runs the list
constexpr int kFirstPort = 30000;

[[noreturn]] void fail(const char* what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2", errno);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends) ::close(end);
  }
  std::array<int, 2> ends{-1, -1};
};

/// library_user.cc, running.
class LibraryUser {
 public:
  struct Answer {
    double milliseconds = 0;
    double plugins = 0;  ///< of these
    std::string result;
  };

  /// In the calling thread's network namespace.
  LibraryUser(const Setting& setting, const ListNetwork& network, const std::string& isolation) {
    const std::string program = setting.yardsticks + "/library_user";
    const std::string libraries = "LD_LIBRARY_PATH=" + setting.stage + "/lib";
    std::array<std::string, 5> words{program, setting.ours, isolation, network.list_text(),
                                     "/run/bench-library-" + isolation};
    std::array<char*, 6> argv{};
    for (std::size_t i = 0; i < words.size(); ++i) argv.at(i) = words.at(i).data();
    std::array<const char*, 3> environment{libraries.c_str(), kPath, nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, orders_.ends[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, answers_.ends[1], STDOUT_FILENO);
    const int error = ::posix_spawn(&process_, program.c_str(), &actions, nullptr, argv.data(),
                                    const_cast<char**>(environment.data()));
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) fail("start library_user", error);
    in_.reset(::fdopen(::dup(answers_.ends[0]), "r"));
    ::close(std::exchange(answers_.ends[1], -1));  // so that its end is seen
  }
  LibraryUser(const LibraryUser&) = delete;
  LibraryUser& operator=(const LibraryUser&) = delete;
  ~LibraryUser() {
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  Answer ask(const std::string& verb, const std::string& container, const ContainerNet& net,
             int port) {
    const std::string order = verb + ' ' + container + ' ' + net.path() + ' ' + kLink + ' ' +
                              ListNetwork::capability_args(port) + '\n';
    if (::write(orders_.ends[1], order.data(), order.size()) != static_cast<ssize_t>(order.size()))
      fail("tell library_user", errno);
    std::string line;
    for (int c = std::fgetc(in_.get()); c != EOF && c != '\n'; c = std::fgetc(in_.get()))
      line += static_cast<char>(c);
    std::istringstream words(line);
    Answer answer;
    if (!(words >> answer.milliseconds >> answer.plugins))
      throw std::runtime_error("library_user, " + verb + ": " + line);
    std::getline(words, answer.result);
    return answer;
  }

 private:
  struct Closes {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  Pipe orders_;
  Pipe answers_;
  std::unique_ptr<std::FILE, Closes> in_;
  pid_t process_ = 0;
};

struct Place {
  const char* candidate;
  HostNet host;
  ListNetwork network;
  std::unique_ptr<LibraryUser> user;  ///< nullptr: bare executables
};

struct Times {
  double add = 0;
  double check = 0;
  double del = 0;
  double own = 0;  ///< of ADD, what isn't the plugins'
};

Times live(Place& place, const std::string& container, const ContainerNet& net, int port) {
  Times times;
  std::string result;
  if (place.user != nullptr) {
    LibraryUser::Answer answer = place.user->ask("add", container, net, port);
    times.add = answer.milliseconds;
    times.own = answer.milliseconds - answer.plugins;
    result = std::move(answer.result);
    require_list(place.network, net, port, result, place.candidate, true);
    times.check = place.user->ask("check", container, net, port).milliseconds;
    times.del = place.user->ask("del", container, net, port).milliseconds;
  } else {
    const ListNetwork::Attached attached = place.network.add(container, net, port);
    times.add = attached.milliseconds;
    result = attached.result;
    require_list(place.network, net, port, result, place.candidate, true);
    times.check = place.network.check(container, net, port, result);
    times.del = place.network.del(container, net, port, result);
  }
  require_no_list(place.network, net, port, result, place.candidate, true);
  return times;
}

void cycle(Place& place, unsigned number, Report& report) {
  const std::string container = "library" + std::to_string(number);
  const ContainerNet net("/run/bench-netns/" + container);
  const Server server(net);
  const auto inside = place.host.enter();
  const Times times = live(place, container, net, kFirstPort + static_cast<int>(number % 10000));
  report.add("library ADD", place.candidate, times.add);
  report.add("library CHECK", place.candidate, times.check);
  report.add("library DEL", place.candidate, times.del);
  if (place.user != nullptr) report.add("library's own part of ADD", place.candidate, times.own);
}

}  // namespace

void measure_library(const Setting& setting, Report& report) {
  Place places[] = {{kOurs, HostNet("/run/bench-netns/library-host-ours"),
                     ListNetwork(setting.ours, "lib-ours", 111, false), nullptr},
                    {kByProcesses, HostNet("/run/bench-netns/library-host-processes"),
                     ListNetwork(setting.ours, "lib-procs", 112, false), nullptr},
                    {kInProcess, HostNet("/run/bench-netns/library-host-inside"),
                     ListNetwork(setting.ours, "lib-inside", 113, false), nullptr},
                    {kOneProcess, HostNet("/run/bench-netns/library-host-one"),
                     ListNetwork(setting.ours, "lib-one", 115, true), nullptr},
                    {kReference, HostNet("/run/bench-netns/library-host-ref"),
                     ListNetwork(setting.reference, "lib-ref", 114, false), nullptr}};
  constexpr unsigned kPlaces = 5;
  for (Place& place : places) {
    const auto inside = place.host.enter();
    run_well({{find_program("ip"), "link", "set", "lo", "up"}, {}, ""});
    const std::string candidate = place.candidate;
    if (candidate == kByProcesses)
      place.user = std::make_unique<LibraryUser>(setting, place.network, "process");
    if (candidate == kInProcess)
      place.user = std::make_unique<LibraryUser>(setting, place.network, "in-process");
  }
  Report warm_up;
  unsigned number = 0;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    Report& to = i < Setting::kWarmUps ? warm_up : report;
    for (unsigned turn = 0; turn < kPlaces; ++turn)
      cycle(places[(i + turn) % kPlaces], number++, to);
    to.add("start of the executable", kOneProcess,
           run_well({{setting.ours + "/unicni"}, {"CNI_COMMAND=VERSION"}, "{}"}).milliseconds);
  }
  report.judge_ratio({"library ADD in process, times faster than the reference's processes",
                      Bound::at_least, 20.0, "x"},
                     report.median("library ADD", kReference),
                     report.median("library ADD", kInProcess));
  report.judge_ratio({"library ADD by processes, of bare executables", Bound::at_most, 1.1, "x"},
                     report.median("library ADD", kByProcesses),
                     report.median("library ADD", kOurs));
  // What the executable does for the same list once it has started.
  const double own_work = report.median("library ADD", kOneProcess) -
                          report.median("start of the executable", kOneProcess);
  report.judge(
      {"library ADD in process, over the executable's own work", Bound::at_most, 0.2, "ms"},
      report.median("library ADD", kInProcess) - own_work);
}

}  // namespace unicni::bench
