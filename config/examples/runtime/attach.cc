// Attaches a network namespace to a network, checks it, and detaches it again.
//
// usage: attach NETWORK NETNS
// as in: sudo ip netns add test; sudo ./attach mynet /run/netns/test
// Networks are those of $NETCONFPATH, else of /etc/cni/net.d.
#include <unicni/runtime.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace {

/// Warnings of the plugins, and what those of other makers write to stderr.
class ToStderr final : public unicni::LogSink {
  void log(unicni::LogLevel, std::string_view member, std::string_view text) noexcept override {
    std::cerr << member << ": " << text << "\n";
  }
  void pass_on(std::string_view bytes) noexcept override { std::cerr << bytes; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: attach NETWORK NETNS\n";
    return 2;
  }
  ToStderr log;
  unicni::RuntimeOptions options;
  options.log = &log;
  // The fastest; the default starts a process for each plugin.
  options.isolation = unicni::Isolation::in_process;
  if (const char* folder = std::getenv("NETCONFPATH")) options.network_folder = folder;
  try {
    const unicni::Runtime runtime(options);
    const unicni::NetworkConfig network = runtime.get_network(argv[1]);
    const unicni::RuntimeConf conf{.container_id = "example", .netns = argv[2], .if_name = "eth0"};

    // If it fails, what it did is undone.
    const unicni::AttachResult attached = runtime.add(network, conf);
    std::cout << attached.text << "\n";
    try {
      runtime.check(network, conf);
    } catch (const unicni::Error& error) {
      std::cerr << "not as it should be: " << error.msg() << "\n";
    }
    runtime.del(network, conf);
  } catch (const unicni::Error& error) {
    std::cerr << error.msg() << "\n" << error.details() << "\n";
    return 1;
  }
}
