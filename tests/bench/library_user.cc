// A program that goes on and attaches containers by unicni/runtime.h, as runtimes do. It does what
// stdin says, a line each, and answers on stdout. Run with LD_LIBRARY_PATH, so that the library is
// the one that is measured.
//
// usage: library_user PLUGINS (process|in-process) LIST CACHE
//        LIST is the network's text, CACHE the folder instead of /var/lib/cni.
// stdin: (add|check|del) CONTAINER NETNS IFNAME CAPABILITY-ARGS
// stdout: MILLISECONDS MILLISECONDS-OF-THE-PLUGINS RESULT, or "failed" and why
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <sstream>
#include <string>

#include "unicni/runtime.h"

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

/// What is spent on plugins: looking for them, and their verbs.
class Plugins final : public unicni::Observer {
 public:
  void on_event(const unicni::Event& event) noexcept override {
    using enum unicni::Phase;
    if (event.phase == load || event.phase == validate || event.phase == module ||
        event.phase == program) {
      spent_ += event.duration.count();
    }
  }
  [[nodiscard]] double taken() {
    return Milliseconds(std::chrono::nanoseconds(spent_.exchange(0))).count();
  }

 private:
  std::atomic<std::int64_t> spent_ = 0;
};

std::string in_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  Plugins plugins;
  unicni::RuntimeOptions options;
  options.plugin_folders = {argv[1]};
  options.isolation = std::string(argv[2]) == "process" ? unicni::Isolation::process
                                                        : unicni::Isolation::in_process;
  options.folders.cni_state = argv[4];
  options.observer = &plugins;
  try {
    const unicni::Runtime runtime(options);
    const auto network = unicni::Runtime::parse_network(argv[3]);
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string verb;
      unicni::RuntimeConf conf;
      words >> verb >> conf.container_id >> conf.netns >> conf.if_name >> conf.capability_args;
      std::string result;
      (void)plugins.taken();
      const auto start = std::chrono::steady_clock::now();
      if (verb == "add") result = runtime.add(network, conf).text;
      if (verb == "check") runtime.check(network, conf);
      if (verb == "del") runtime.del(network, conf);
      const double whole = Milliseconds(std::chrono::steady_clock::now() - start).count();
      std::cout << whole << ' ' << plugins.taken() << ' ' << in_one_line(result) << std::endl;
    }
  } catch (const unicni::Error& error) {
    std::cout << "failed " << in_one_line(error.msg() + ": " + error.details()) << std::endl;
    return 1;
  }
}
