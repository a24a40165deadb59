#include "policy/limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options/describe.h"
#include "options/keys.h"
#include "policy/glob.h"
#include "policy/number.h"
#include "policy/places.h"
#include "policy/rates.h"
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
        places_(server, config_, is_ipam),
        makes_interface_(member.makes_interface),
        is_chained_(member.is_chained) {}

  void require();

 private:
  [[nodiscard]] Places::Args args() const;
  [[nodiscard]] bool is_unset(std::string_view json) const;
  [[nodiscard]] bool is_in_container() const;
  [[nodiscard]] std::optional<std::string> parent() const;
  [[noreturn]] void refuse(std::string_view value) const;
  [[nodiscard]] bool is_within(std::optional<std::int64_t> number) const;
  void judge(std::string_view json) const;
  void judge_value(std::string_view json, std::string_view shown) const;
  void judge_text(const std::string& text, std::string_view shown) const;
  void require_ports() const;
  void require_sysctls() const;
  void require_values() const;
  void require_missing(const Places::Missing& missing) const;
  void require_missing_own(const Option& own) const;
  void require_missing_master() const;
  void require_missing_mtu() const;

  const Rule& rule_;
  const Limit& limit_;
  const Server& server_;
  const Facts& facts_;
  Fields config_;
  Places places_;
  bool makes_interface_;
  bool is_chained_;
};

void Look::refuse(std::string_view value) const {
  throw Error(Code::policy_violated,
              fmt::format("{}: {} {} of {} is not allowed; allowed: {}", rule_.title(limit_.place),
                          limit_.key, value, server_.type, limit_.str()),
              "ask who keeps this host's policies, or change the value");
}

void Look::judge_text(const std::string& text, std::string_view shown) const {
  if (!limit_.allowed) return;
  const bool is_fine = limit_.key == "hostIP" ? is_allowed_address(*limit_.allowed, text)
                                              : matches_any(*limit_.allowed, text);
  if (!is_fine) refuse(shown);
}

bool Look::is_within(std::optional<std::int64_t> number) const {
  return number && (!limit_.min || *number >= *limit_.min) &&
         (!limit_.max || *number <= *limit_.max);
}

/// What is no number where numbers are compared, is refused: nobody knows what a program would
/// make of it.
void Look::judge_value(std::string_view json, std::string_view shown) const {
  const std::string text = text_of(json);
  if ((limit_.min || limit_.max) && !is_within(whole_number(text))) refuse(shown);
  judge_text(text, shown);
}

/// All elements of a list.
void Look::judge(std::string_view json) const {
  json = protocol::trimmed(json);
  if (!json.starts_with('[')) return judge_value(json, json);
  for (const std::string_view element : protocol::split_array(json)) judge(element);
}

/// Only read where the plugin looks at them.
Places::Args Look::args() const {
  const bool reads = server_.options == nullptr ||
                     find_row(server_, OptionSource::cni_args, limit_.key) != nullptr;
  if (!reads) return {};
  try {
    return protocol::parse_args(facts_.args);
  } catch (const Error&) {
    refuse("of CNI_ARGS, which can't be read,");
  }
}

/// So options are as good as absent.
bool Look::is_unset(std::string_view json) const {
  if (protocol::same_letters(limit_.key, "master")) return json == "\"\"";
  const bool is_absent_at_0 = protocol::same_letters(limit_.key, "mtu") || is_burst(limit_.key);
  if (is_absent_at_0 && whole_number(json) == 0) return true;
  return json.starts_with('[') && protocol::split_array(json).empty();
}

/// A mapping without hostPort publishes nothing; one without hostIP does so at all addresses.
void Look::require_ports() const {
  constexpr std::string_view kMappings = "portMappings";
  if (!places_.has_option(kMappings)) return;
  for (const Fields& section : places_.sections()) {
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
        const bool is_missing = limit_.key == "hostIP" && mapping.find(limit_.key) == nullptr;
        if (is_missing) judge_text("", "missing (all addresses)");
      }
    }
  }
}

void Look::require_sysctls() const {
  constexpr std::string_view kSysctl = "sysctl";
  if (!places_.has_option(kSysctl)) return;
  const std::string if_name = literal(facts_.if_name);
  Patterns allowed;
  for (const std::string& pattern : limit_.allowed.value_or(Patterns())) {
    allowed.push_back(sysctl_name(pattern, if_name));
  }
  for (const Fields& section : places_.sections()) {
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
  if (!is_within(*mtu)) refuse(fmt::format("missing ({})", *mtu));
}

/// What the plugin makes of a value that isn't there.
void Look::require_missing(const Places::Missing& missing) const {
  const std::string text = options::default_of(*missing.row, *missing.table);
  const bool is_number = missing.row->type->kind == ValueKind::integer && !text.empty();
  judge_value(is_number ? text : protocol::quote(text),
              text.empty() ? "missing" : fmt::format("missing ({})", text));
}

void Look::require_missing_own(const Option& own) const {
  if (protocol::same_letters(limit_.key, "mtu")) return require_missing_mtu();
  if (protocol::same_letters(limit_.key, "master")) return require_missing_master();
  require_missing({&own, server_.options});
}

/// All that is written is judged, and what is missing where the plugin reads. An interface's MTU is
/// not that of a route, as IPAM plugins have it inside.
void Look::require_values() const {
  const bool is_mtu = protocol::same_letters(limit_.key, "mtu");
  const bool looks_inside = !is_mtu && places_.has_inner_option(limit_.key);
  if (!places_.has_option(limit_.key) && !looks_inside) return;
  const Places::Args args = this->args();
  const auto is_unset = [&](std::string_view json) { return this->is_unset(json); };
  std::vector<std::string> written = places_.written(limit_.key, args);
  if (looks_inside) {
    for (std::string& json : places_.written_inside(limit_.key)) written.push_back(std::move(json));
  }
  // Programs may take any of several spellings, such as the last.
  const bool may_be_unset = std::erase_if(written, is_unset) > 0 && server_.is_program;
  for (const std::string& json : written) judge(json);
  if (server_.options == nullptr) {
    if (is_mtu && written.empty()) require_missing_mtu();
    return;
  }
  if (is_burst(limit_.key) && is_rate_key(server_.resolved, limit_.key)) {
    if (const auto burst = default_burst(config_, limit_.key)) {
      judge_value(std::to_string(*burst), fmt::format("missing ({})", *burst));
    }
    return;
  }
  const Option* const own = find_row(server_, OptionSource::config, limit_.key);
  if (own == nullptr) return;
  const auto reading = places_.read(limit_.key, args, is_unset);
  for (const Places::Missing& missing : reading.missing) require_missing(missing);
  if (!reading.is_given || may_be_unset) require_missing_own(*own);
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
