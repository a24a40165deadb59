#include "policy/limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "options/describe.h"
#include "options/keys.h"
#include "policy/glob.h"
#include "policy/number.h"
#include "protocol/document.h"
#include "protocol/request.h"
#include "unicni/error.h"
#include "unicni/ip.h"

namespace unicni::policy {
namespace {

/// Sysctls are named by dots or slashes, and may say IFNAME for the interface (modules/tuning).
std::string sysctl_name(std::string_view written, const std::string& if_name) {
  std::string name;
  for (const char c : written) {
    const char next = c == '/' ? '.' : c;
    if (next != '.' || (!name.empty() && name.back() != '.')) name += next;
  }
  constexpr std::string_view kPlaceholder = "IFNAME";
  if (const auto at = name.find(kPlaceholder); at != std::string::npos) {
    name.replace(at, kPlaceholder.size(), if_name);
  }
  return name;
}

/// A name whose stars and question marks stand for themselves, also where it becomes part of a
/// pattern: the runtime says what the interface is called, and may say "*". No name of a link or
/// sysctl has control characters.
std::string literal(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '*', '\x01');
  std::replace(text.begin(), text.end(), '?', '\x02');
  return text;
}

bool is_string(std::string_view json) { return json.starts_with('"'); }

/// A value as patterns see it.
std::string text_of(std::string_view json) {
  json = protocol::trimmed(json);
  if (is_string(json)) return protocol::unquoted(json);
  if (const auto number = whole_number(json)) return std::to_string(*number);
  return std::string(json);
}

/// An address is allowed as itself however it is written, or as one of a subnet.
bool is_allowed_address(const Patterns& allowed, std::string_view text) {
  if (matches_any(allowed, text)) return true;
  const auto address = IpAddress::parse(text);
  return address && std::any_of(allowed.begin(), allowed.end(), [&](const std::string& each) {
           const auto net = IpNet::parse(each);
           return IpAddress::parse(each) == address || (net && net->contains(*address));
         });
}

/// All that one member may say about one key.
class Look {
 public:
  Look(const Rule& rule, const Limit& limit, const Member& member, const Server& server,
       bool is_ipam, const Facts& facts)
      : rule_(rule),
        limit_(limit),
        server_(server),
        facts_(facts),
        config_(member.config),
        makes_interface_(member.makes_interface),
        is_chained_(member.is_chained) {
    if (is_ipam) {
      for (const std::string_view json : config_.find_all("ipam")) sections_.emplace_back(json);
    } else {
      sections_.push_back(config_);
    }
    for (const std::string_view json : config_.find_all("runtimeConfig"))
      sections_.emplace_back(json);
    for (const std::string_view json : config_.find_all("args")) {
      const Fields args(json);
      for (const std::string_view cni : args.find_all("cni")) sections_.emplace_back(cni);
    }
  }

  void require();

 private:
  [[nodiscard]] bool binds(std::string_view key) const;
  [[nodiscard]] const Option* row(OptionSource source) const;
  [[nodiscard]] std::vector<std::string> written() const;
  [[nodiscard]] bool is_in_container() const;
  [[nodiscard]] std::optional<std::string> parent() const;
  [[noreturn]] void refuse(std::string_view value) const;
  void judge(std::string_view json) const;
  void judge_text(const std::string& text, std::string_view shown) const;
  void require_ports() const;
  void require_sysctls() const;
  void require_values() const;
  void require_missing() const;
  void require_missing_master() const;
  void require_missing_mtu() const;

  const Rule& rule_;
  const Limit& limit_;
  const Server& server_;
  const Facts& facts_;
  Fields config_;
  bool makes_interface_;
  bool is_chained_;
  std::vector<Fields> sections_;
};

void Look::refuse(std::string_view value) const {
  throw Error(Code::policy_violated,
              fmt::format("{}: {} {} of {} is not allowed, but {}", rule_.title(limit_.place),
                          limit_.key, value, server_.type, limit_.str()),
              "ask who keeps this host's policies, or change the value");
}

void Look::judge_text(const std::string& text, std::string_view shown) const {
  if (!limit_.allowed) return;
  const bool is_fine = limit_.key == "hostIP" ? is_allowed_address(*limit_.allowed, text)
                                              : matches_any(*limit_.allowed, text);
  if (!is_fine) refuse(shown);
}

/// What is no number where numbers are compared, is refused: nobody knows what a program would
/// make of it.
void Look::judge(std::string_view json) const {
  json = protocol::trimmed(json);
  if (json.starts_with('[')) {
    for (const std::string_view element : protocol::split_array(json)) judge(element);
    return;
  }
  const std::string text = text_of(json);
  if (limit_.min || limit_.max) {
    const auto number = whole_number(text);
    if (!number || (limit_.min && *number < *limit_.min) || (limit_.max && *number > *limit_.max)) {
      refuse(json);
    }
  }
  judge_text(text, json);
}

const Option* Look::row(OptionSource source) const {
  for (const Option& row : std::span(server_.options->rows, server_.options->count)) {
    if (row.source == source && protocol::same_letters(row.key, limit_.key)) return &row;
  }
  return nullptr;
}

/// Whether the module has such an option, wherever it reads it from.
bool Look::binds(std::string_view key) const {
  if (server_.options == nullptr) return true;
  const auto rows = std::span(server_.options->rows, server_.options->count);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Option& row) { return protocol::same_letters(row.key, key); });
}

/// Each value that stands somewhere, as JSON text.
std::vector<std::string> Look::written() const {
  std::vector<std::string> values;
  for (const Fields& section : sections_) {
    for (const std::string_view json : section.find_all(limit_.key)) values.emplace_back(json);
  }
  if (server_.options != nullptr && row(OptionSource::cni_args) == nullptr) return values;
  try {
    for (const auto& [key, value] : protocol::parse_args(facts_.args)) {
      if (protocol::same_letters(key, limit_.key)) values.push_back(protocol::quote(value));
    }
  } catch (const Error&) {
    refuse("of CNI_ARGS, which can't be read,");
  }
  return values;
}

/// A mapping without hostPort publishes nothing; one without hostIP does so at all addresses.
void Look::require_ports() const {
  constexpr std::string_view kMappings = "portMappings";
  if (!binds(kMappings)) return;
  for (const Fields& section : sections_) {
    for (const std::string_view mappings : section.find_all(kMappings)) {
      if (!protocol::trimmed(mappings).starts_with('['))
        refuse("of portMappings, which is no list,");
      for (const std::string_view element : protocol::split_array(mappings)) {
        const Fields mapping(element);
        const auto ports = mapping.find_all("hostPort");
        const bool publishes = std::any_of(ports.begin(), ports.end(), [](std::string_view json) {
          return whole_number(json) != 0;
        });
        if (!publishes) continue;
        const auto values = mapping.find_all(limit_.key);
        for (const std::string_view json : values) judge(json);
        if (values.empty()) judge_text("", "missing (all addresses)");
      }
    }
  }
}

void Look::require_sysctls() const {
  constexpr std::string_view kSysctl = "sysctl";
  if (!binds(kSysctl)) return;
  const std::string if_name = literal(facts_.if_name);
  Patterns allowed;
  for (const std::string& pattern : limit_.allowed.value_or(Patterns())) {
    allowed.push_back(sysctl_name(pattern, if_name));
  }
  for (const Fields& section : sections_) {
    for (const std::string_view sysctls : section.find_all(kSysctl)) {
      for (const auto& [key, value] : Fields(sysctls).members()) {
        const bool climbs = key.find("..") != std::string::npos;
        if (climbs || !matches_any(allowed, sysctl_name(literal(key), if_name))) {
          refuse(protocol::quote(key));
        }
      }
    }
  }
}

bool Look::is_in_container() const {
  const std::string* inside = config_.find("linkInContainer");
  return inside != nullptr && *inside == "true";
}

/// The host's link that "master" names, or means where it is missing. nullopt: that isn't known.
/// Behind another plugin ipvlan takes the interface of that one's result.
std::optional<std::string> Look::parent() const {
  if (is_in_container()) return std::nullopt;
  const std::string* master = config_.find("master");
  if (master != nullptr && is_string(*master) && *master != "\"\"") {
    return protocol::unquoted(*master);
  }
  return is_chained_ ? std::nullopt : facts_.default_link;
}

void Look::require_missing_master() const {
  const std::string link = parent().value_or("");
  judge_text(link, is_chained_ ? "missing (perhaps the interface of the plugin before)"
                               : fmt::format("missing (the link of the default route{}{})",
                                             link.empty() ? "" : ", ", link));
}

/// A new link has the kernel's MTU, or that of the link that it hangs on. Of programs that nobody
/// knows it can't be said; chained plugins leave it.
void Look::require_missing_mtu() const {
  constexpr std::uint32_t kEthernet = 1500;
  if (!makes_interface_ || (!limit_.min && !limit_.max)) return;
  if (server_.options == nullptr) {
    if (limit_.min) refuse("missing");
    return;
  }
  std::optional<std::uint32_t> mtu = kEthernet;
  if (options::find_row(*server_.options, OptionSource::config, "master") != nullptr) {
    const auto link = parent();
    mtu = link && facts_.link_mtu ? facts_.link_mtu(*link) : std::nullopt;
  }
  if (!mtu) refuse("missing (that of a master that is not known)");
  const bool is_fine = (!limit_.min || *mtu >= *limit_.min) && (!limit_.max || *mtu <= *limit_.max);
  if (!is_fine) refuse(fmt::format("missing ({})", *mtu));
}

/// What the plugin makes of a value that isn't there.
void Look::require_missing() const {
  if (server_.options == nullptr) return;
  const Option* own = row(OptionSource::config);
  if (own == nullptr) return;
  const std::string text = options::default_of(*own, *server_.options);
  judge(own->type->kind == ValueKind::integer && !text.empty() ? text : protocol::quote(text));
}

void Look::require_values() const {
  if (!binds(limit_.key)) return;
  const bool is_mtu = protocol::same_letters(limit_.key, "mtu");
  const bool is_master = protocol::same_letters(limit_.key, "master");
  bool is_given = false;
  for (const std::string& json : written()) {
    // So these options are as good as absent.
    if (is_mtu && whole_number(json) == 0) continue;
    if (is_master && json == "\"\"") continue;
    is_given = true;
    judge(json);
  }
  if (is_given) return;
  if (is_mtu) return require_missing_mtu();
  const bool has_master =
      is_master && server_.options != nullptr && row(OptionSource::config) != nullptr;
  if (has_master) return require_missing_master();
  require_missing();
}

void Look::require() {
  if (limit_.key == "hostPort" || limit_.key == "hostIP") return require_ports();
  if (limit_.key == "sysctl") return require_sysctls();
  require_values();
}

}  // namespace

void require_limit(const Rule& rule, const Limit& limit, const Member& member, const Facts& facts) {
  if (!member.plugin.type.empty()) {
    Look(rule, limit, member, member.plugin, member.is_ipam, facts).require();
  }
  if (!member.ipam.type.empty()) Look(rule, limit, member, member.ipam, true, facts).require();
}

}  // namespace unicni::policy
