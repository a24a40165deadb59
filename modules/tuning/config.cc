#include "config.h"

#include <fmt/core.h>

#include <climits>
#include <limits>
#include <unordered_map>

#include "unicni/error.h"
#include "unicni/link_options.h"

namespace unicni::tuning {

namespace {

constexpr std::int64_t kMostPackets = std::numeric_limits<std::int32_t>::max();
constexpr OptionSource kArgs = OptionSource::args_cni;

constexpr Option kRows[] = {
    option<&TuningOptions::sysctl>("sysctl",
                                   "sysctls below net. to set in the container's network "
                                   "namespace; IFNAME in a key stands for the interface's name"),
    option<&TuningOptions::mac>(
        "mac", "MAC address to set on the interface; any other source overrides it"),
    option<&TuningOptions::promisc>("promisc", "put the interface into promiscuous mode")
        .with_default("false"),
    option<&TuningOptions::mtu>("mtu",
                                "MTU in bytes to set on the interface; 0: leave it unchanged")
        .with_range(0, 65535)
        .with_default("0"),
    option<&TuningOptions::allmulti>(
        "allmulti",
        "turn the interface's all-multicast mode on or off; absent: leave it unchanged"),
    option<&TuningOptions::tx_queue_len>(
        "txQLen",
        "transmit queue length in packets to set on the interface; absent: leave it unchanged")
        .with_range(0, kMostPackets),
    option<&TuningOptions::data_dir>(
        "dataDir",
        "folder of the files in which the interface's former settings are kept until DEL")
        .with_default("/run/cni/tuning"),
    option<&TuningOptions::runtime_mac>(
        "mac",
        "MAC address to set on the interface (capability \"mac\"); args.cni.mac overrides it")
        .from(OptionSource::runtime_config),
    option<&TuningOptions::args_sysctl>(
        "sysctl", "sysctls to set; they override equal keys of the configuration's \"sysctl\"")
        .from(kArgs),
    option<&TuningOptions::args_mac>(
        "mac", "MAC address to set on the interface; overrides every other source")
        .from(kArgs),
    option<&TuningOptions::args_promisc>(
        "promisc", "promiscuous mode of the interface; overrides \"promisc\" of the configuration")
        .from(kArgs),
    option<&TuningOptions::args_mtu>(
        "mtu", "MTU in bytes to set on the interface; overrides \"mtu\" of the configuration")
        .from(kArgs)
        .with_range(0, 65535),
    option<&TuningOptions::args_allmulti>(
        "allmulti",
        "all-multicast mode of the interface; overrides \"allmulti\" of the configuration")
        .from(kArgs),
    option<&TuningOptions::args_tx_queue_len>(
        "txQLen", "transmit queue length in packets; overrides \"txQLen\" of the configuration")
        .from(kArgs)
        .with_range(0, kMostPackets),
    option<&TuningOptions::cni_args_mac>(
        "MAC",
        "MAC address to set on the interface; args.cni.mac and runtimeConfig.mac override it")
        .from(OptionSource::cni_args)
        .exact_case(),
};

/// The kernel can't have a longer name: the path of its file would be too long.
bool is_too_long(std::string_view key) {
  constexpr std::size_t kMost = PATH_MAX - sizeof "/proc/sys/";
  std::size_t part = 0;
  for (const char c : key) {
    part = c == '/' ? 0 : part + 1;
    if (part > NAME_MAX) return true;
  }
  return key.size() > kMost;
}

/// The beginning, for messages.
std::string shown_key(const std::string& key) {
  constexpr std::size_t kShown = 120;
  return key.size() <= kShown ? key : key.substr(0, kShown) + "...";
}

/// "net.ipv4.conf.IFNAME.arp_ignore" → "net/ipv4/conf/eth0/arp_ignore".
std::string sysctl_key(const std::string& written, const std::string& if_name) {
  constexpr std::string_view kPlaceholder = "IFNAME";
  std::string key;
  for (const char c : written) {
    const char next = c == '.' ? '/' : c;
    if (next == '/' && (key.empty() || key.back() == '/')) continue;
    key += next;
  }
  if (const auto at = key.find(kPlaceholder); at != std::string::npos) {
    key.replace(at, kPlaceholder.size(), if_name);
  }
  const bool whole = key.starts_with("net/") && written.find("..") == std::string::npos &&
                     key.back() != '/' &&
                     key.find_first_of(std::string_view(" \t\r\n\0", 5)) == std::string::npos;
  if (!whole) {
    throw Error(
        Code::invalid_config,
        fmt::format("invalid net sysctl key: \"{}\"", shown_key(key.empty() ? written : key)),
        "write the key as in net.ipv4.conf.IFNAME.arp_ignore");
  }
  // The allow-list is about the key as written, whose repeated slashes don't count above.
  if (is_too_long(key) || written.size() > PATH_MAX) {
    throw Error(
        Code::invalid_config,
        fmt::format("net sysctl key \"{}\" of {} bytes is too long", shown_key(key),
                    written.size()),
        fmt::format("shorten the key: a part between dots has at most {} bytes, the whole key {}",
                    NAME_MAX, PATH_MAX));
  }
  return key;
}

/// Sysctls by key, as they are looked up by the thousand.
class Collection {
 public:
  Collection(std::vector<Sysctl>& sysctls, const std::string& if_name)
      : sysctls_(sysctls), if_name_(if_name) {}

  /// What an earlier map has is replaced; within one map a sysctl may be there once more only with
  /// the same value.
  void add(const TextMap& map) {
    const std::size_t before = sysctls_.size();
    for (const auto& [written, value] : map) {
      Sysctl next{written, sysctl_key(written, if_name_), value};
      const auto [place, is_new] = places_.emplace(next.key, sysctls_.size());
      if (is_new) {
        sysctls_.push_back(std::move(next));
        continue;
      }
      Sysctl& same = sysctls_[place->second];
      if (place->second < before) {
        same = std::move(next);
      } else if (same.value != value) {
        throw Error(
            Code::invalid_config,
            fmt::format("sysctl {} is set to \"{}\" and to \"{}\"", next.key, same.value, value),
            fmt::format("remove one of the two spellings \"{}\" and \"{}\", which name one sysctl",
                        same.written, written));
      }
    }
  }

 private:
  std::vector<Sysctl>& sysctls_;
  const std::string& if_name_;
  std::unordered_map<std::string, std::size_t> places_;  // key -> index
};

std::string first_given(std::initializer_list<const std::string*> sources) {
  for (const std::string* each : sources) {
    if (!each->empty()) return *each;
  }
  return {};
}

}  // namespace

constinit const OptionTable kTuningOptions = option_table<TuningOptions>(kRows);

Settings settings(const TuningOptions& options, const std::string& if_name) {
  Settings result;
  Collection sysctls(result.sysctls, if_name);
  sysctls.add(options.sysctl);
  sysctls.add(options.args_sysctl);
  result.mac_text =
      first_given({&options.args_mac, &options.runtime_mac, &options.cni_args_mac, &options.mac});
  if (!result.mac_text.empty()) {
    result.link.mac = Mac::parse(result.mac_text);
    if (!result.link.mac) {
      throw Error(Code::invalid_config,
                  fmt::format("mac: invalid args {} for MAC addr", result.mac_text),
                  "write the MAC address as in 0a:58:0a:01:02:03");
    }
    require_interface_mac("mac", result.link.mac);
  }
  const std::int64_t mtu = options.args_mtu.value_or(options.mtu);
  require_mtu_range("mtu", mtu);
  if (mtu != 0) result.link.mtu = static_cast<std::uint32_t>(mtu);
  if (options.args_promisc.value_or(options.promisc)) result.link.promisc = true;
  result.link.allmulti = options.args_allmulti ? options.args_allmulti : options.allmulti;
  const auto length = options.args_tx_queue_len ? options.args_tx_queue_len : options.tx_queue_len;
  if (length) result.link.tx_queue_len = static_cast<std::uint32_t>(*length);
  if (!options.data_dir.starts_with('/')) {
    throw Error(Code::invalid_config,
                fmt::format("dataDir: \"{}\" is no absolute path", options.data_dir),
                "write a path that begins with /");
  }
  return result;
}

}  // namespace unicni::tuning
