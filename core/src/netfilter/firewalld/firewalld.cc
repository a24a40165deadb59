#include "unicni/netfilter/firewalld.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <utility>

#include "netfilter/firewalld/system_bus.h"
#include "netfilter/nft/query.h"
#include "unicni/error.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {
namespace {

constexpr const char* kName = "org.fedoraproject.FirewallD1";
constexpr const char* kObject = "/org/fedoraproject/FirewallD1";
constexpr const char* kZone = "org.fedoraproject.FirewallD1.zone";
constexpr const char* kBus = "org.freedesktop.DBus";

/// firewalld's own errors are all of one name; the text begins with their code: "INVALID_ZONE: x".
bool says(const BusAnswer& answer, const char* code) {
  return answer.error_text.find(code) != std::string::npos;
}

/// firewalld's text has the reason; its log says more.
[[noreturn]] void refuse(const BusAnswer& answer, const char* method) {
  throw Error(Code::internal,
              fmt::format("firewalld: {}: {}", method,
                          answer.error_text.empty() ? answer.error : answer.error_text),
              "see `journalctl -u firewalld`");
}

Error no_such_zone(const std::string& zone) {
  return {Code::invalid_config, fmt::format("firewalld has no zone \"{}\" (INVALID_ZONE)", zone),
          "set firewalldZone to one that `firewall-cmd --get-zones` lists"};
}

}  // namespace

std::string firewalld_text(const IpAddress& address) {
  return fmt::format("{}/{}", address.str(), address.family() == Family::v4 ? 32 : 128);
}

struct Firewalld::Impl {
  SystemBus bus;
  std::string owner;  // its unique name: a call to the well-known one might start it
  Deadline deadline;

  BusAnswer call(const char* method, const std::string& first,
                 const std::optional<std::string>& second, SystemBus::Type answer) {
    return bus.call({owner, kObject, kZone, method}, first, second, answer, deadline);
  }
  BusAnswer call(const char* method, const FirewalldSource& source, SystemBus::Type answer) {
    return call(method, source.zone, firewalld_text(source.address), answer);
  }

  /// By asking who owns the name: D-Bus might start firewalld for a call to the name.
  static std::unique_ptr<Impl> find(Deadline deadline, std::string& why_not) {
    auto bus = SystemBus::find(deadline, why_not);
    if (!bus) return nullptr;
    const BusAnswer owner = bus->call({kBus, "/org/freedesktop/DBus", kBus, "GetNameOwner"}, kName,
                                      std::nullopt, SystemBus::Type::text, deadline);
    if (!owner.ok() || owner.texts.empty()) {
      why_not = "it isn't running";
      return nullptr;
    }
    return std::make_unique<Impl>(Impl{*std::move(bus), owner.texts.front(), deadline});
  }
};

Firewalld::Firewalld(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Firewalld::Firewalld(Firewalld&&) noexcept = default;
Firewalld& Firewalld::operator=(Firewalld&&) noexcept = default;
Firewalld::~Firewalld() = default;

Firewalld Firewalld::get(Deadline deadline) {
  std::string why_not;
  auto impl = Impl::find(deadline, why_not);
  if (impl) return Firewalld(std::move(impl));
  throw Error(Code::not_available, "firewalld can't be reached: " + why_not,
              "start it (`systemctl start firewalld`), or choose another \"backend\"");
}

std::optional<Firewalld> Firewalld::find(Deadline deadline) {
  std::string why_not;
  auto impl = Impl::find(deadline, why_not);
  if (!impl) return std::nullopt;
  return Firewalld(std::move(impl));
}

// Of the running configuration alone: the permanent one is the administrator's, and a reload makes
// the running one of it.
bool Firewalld::add_source(const FirewalldSource& source) {
  const BusAnswer answer = impl_->call("addSource", source, SystemBus::Type::text);
  if (answer.ok()) return true;
  if (says(answer, "ZONE_ALREADY_SET")) return false;
  if (says(answer, "INVALID_ZONE")) throw no_such_zone(source.zone);
  if (!says(answer, "ZONE_CONFLICT")) refuse(answer, "addSource");
  const std::string address = firewalld_text(source.address);
  const BusAnswer other =
      impl_->call("getZoneOfSource", address, std::nullopt, SystemBus::Type::text);
  const std::string zone = other.texts.empty() ? "another" : other.texts.front();
  throw Error(Code::invalid_config,
              fmt::format("{} belongs to zone \"{}\" of firewalld already, not to \"{}\"", address,
                          zone, source.zone),
              fmt::format("run `firewall-cmd --zone={} --remove-source={}`, or set firewalldZone "
                          "to the zone that the address belongs to",
                          zone, address));
}

bool Firewalld::remove_source(const FirewalldSource& source) {
  const BusAnswer answer = impl_->call("removeSource", source, SystemBus::Type::text);
  if (answer.ok()) return true;
  const bool absent = says(answer, "UNKNOWN_SOURCE") || says(answer, "ZONE_CONFLICT") ||
                      says(answer, "INVALID_ZONE") || says(answer, "NOT_ENABLED");
  if (!absent) refuse(answer, "removeSource");
  return false;
}

bool Firewalld::has_source(const FirewalldSource& source) {
  const BusAnswer answer = impl_->call("querySource", source, SystemBus::Type::flag);
  if (says(answer, "INVALID_ZONE")) throw no_such_zone(source.zone);
  if (!answer.ok()) refuse(answer, "querySource");
  return answer.flag;
}

std::vector<std::string> Firewalld::list_sources(const std::string& zone) {
  BusAnswer answer = impl_->call("getSources", zone, std::nullopt, SystemBus::Type::texts);
  if (says(answer, "INVALID_ZONE")) throw no_such_zone(zone);
  if (!answer.ok()) refuse(answer, "getSources");
  return std::move(answer.texts);
}

// firewalld sorts packets into zones by a rule for each source.
bool may_be_firewalld_source(Nft& nft, const IpAddress& address) {
  constexpr const char* kTable = "firewalld";
  // "ip saddr 10.1.0.2 goto filter_FWD_trusted"
  constexpr const char* kSources = "filter_FORWARD_ZONES";
  NetlinkSocket& socket = nft.socket();
  const auto chains = find_chains(
      socket, {{NFPROTO_INET, kTable, "filter_FORWARD"}, {NFPROTO_INET, kTable, kSources}});
  if (!chains[0]) return false;
  if (!chains[1]) return true;  // a version that has it elsewhere
  const auto rules = list_rules(socket, {NFPROTO_INET, kTable, kSources});
  return std::any_of(rules.begin(), rules.end(), [&](const NftListedRule& rule) {
    return rule.source && rule.source->address() == address;
  });
}

}  // namespace unicni::net
