// What is measured, a case at a time.
#pragma once

#include <string>

#include "report.h"

namespace unicni::bench {

struct Setting {
  std::string ours;        ///< folder of plugins: that of the build under test
  std::string reference;   ///< the same of the reference plugins
  std::string stage;       ///< the whole tree that `ours` is in
  std::string yardsticks;  ///< folder of the benchmark's own programs
  unsigned runs = 0;       ///< samples of each candidate where a run is cheap

  /// The first runs make bridges, tables and folders; nobody counts them.
  static constexpr unsigned kWarmUps = 3;
};

/// Measures, adds its samples and judges its goals. In a private host (private_net.h), from the
/// only thread, without children. Leaves the thread in the host's namespace.
struct Case {
  const char* name;
  const char* about;
  void (*measure)(const Setting&, Report&);
};

void measure_start(const Setting&, Report&);
void measure_verbs(const Setting&, Report&);
void measure_family(const Setting&, Report&);
void measure_pool(const Setting&, Report&);
void measure_parallel(const Setting&, Report&);
void measure_crowd(const Setting&, Report&);
void measure_list(const Setting&, Report&);
void measure_library(const Setting&, Report&);
void measure_settings(const Setting&, Report&);
void measure_footprint(const Setting&, Report&);
void measure_dhcp(const Setting&, Report&);
void measure_scale(const Setting&, Report&);

inline constexpr Case kCases[] = {
    {"start", "VERSION beside empty programs", measure_start},
    {"verbs", "ADD, CHECK, DEL of bridge + host-local + ipMasq", measure_verbs},
    {"family", "the same of ptp and macvlan", measure_family},
    {"pool", "host-local alone, with 60,000 addresses taken", measure_pool},
    {"parallel", "50 attachments at once", measure_parallel},
    {"crowd", "20,000 foreign nft rules and 1,000 other veths", measure_crowd},
    {"list", "bridge, tuning, portmap, firewall, bandwidth", measure_list},
    {"library", "that list by a program that uses unicni/runtime.h", measure_library},
    {"settings", "that list as a chain, and under policies", measure_settings},
    {"footprint", "peak memory of an ADD, installed size", measure_footprint},
    {"dhcp", "bridge + dhcp against dnsmasq, and 100 of them at once", measure_dhcp},
    // Last, as the kernel takes down what it leaves for a while.
    {"scale", "the list's ADD with 999 attachments, with 20,000 foreign rules", measure_scale},
};

}  // namespace unicni::bench
