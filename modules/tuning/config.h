// What tuning can be told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/link.h"
#include "unicni/options.h"

namespace unicni::tuning {

struct TuningOptions {
  TextMap sysctl;
  std::string mac;
  bool promisc = false;
  std::int64_t mtu = 0;
  std::optional<bool> allmulti;
  std::optional<std::int64_t> tx_queue_len;
  std::string data_dir;
  std::string runtime_mac;
  std::string cni_args_mac;
  TextMap args_sysctl;
  std::string args_mac;
  std::optional<bool> args_promisc;
  std::optional<std::int64_t> args_mtu;
  std::optional<bool> args_allmulti;
  std::optional<std::int64_t> args_tx_queue_len;
};

/// One sysctl of the configuration.
struct Sysctl {
  std::string written;  ///< the key as it stands there: what the allow-list is about
  std::string key;      ///< for net/sysctl.h
  std::string value;
  friend bool operator==(const Sysctl&, const Sysctl&) = default;
};

/// What is to be set, of all sources.
struct Settings {
  std::vector<Sysctl> sysctls;
  net::LinkChange link;
  std::string mac_text;  ///< as written; the result repeats it
  [[nodiscard]] bool touches_link() const {
    return link.mac || link.mtu || link.promisc || link.allmulti || link.tx_queue_len;
  }
};

extern const OptionTable kTuningOptions;

/// args.cni beats runtimeConfig, that CNI_ARGS, that the configuration. Dots of a sysctl are
/// slashes, and its first IFNAME is `if_name`. Throws Error(invalid_config): a sysctl that isn't
/// below net/, or is set twice to different values; a MAC or MTU that no interface can have; a
/// "dataDir" that is no absolute path.
Settings settings(const TuningOptions& options, const std::string& if_name);

}  // namespace unicni::tuning
