#include "firewalld.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "config.h"
#include "unicni/error.h"
#include "unicni/host_side.h"
#include "unicni/netfilter/firewalld.h"
#include "unicni/undo/firewalld_source.h"
#include "unicni/undo/iptables_firewall.h"

namespace unicni::firewall {

namespace {

const std::string& zone_of(const Call& call) { return call.options<FirewallOptions>().zone; }

std::vector<net::FirewalldSource> sources_of(const Call& call, Host& host, const Result& result) {
  std::vector<net::FirewalldSource> sources;
  for (const IpNet& each : attachment_addresses(call, host, result)) {
    sources.push_back({zone_of(call), each.address()});
  }
  return sources;
}

/// Adds what the journals know and the zones don't have. Goes on past zones and addresses that are
/// refused: they are not this call's.
void restore(net::Firewalld& firewalld, Host& host) {
  std::set<std::string> zones_done;
  const auto records = host.attachments().list_records(kFirewalldSource, Steps::finished);
  const auto attempt = [&](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      host.log(LogLevel::warning, "restore sources of firewalld: " + error.msg());
    }
  };
  for (const auto& each : records) {
    const auto first = find_firewalld_source(each.record);
    if (!first || !zones_done.insert(first->zone).second) continue;
    attempt([&] {
      const auto present = firewalld.list_sources(first->zone);
      for (const auto& other : records) {
        const auto source = find_firewalld_source(other.record);
        if (!source || source->zone != first->zone) continue;
        const std::string text = net::firewalld_text(source->address);
        if (std::find(present.begin(), present.end(), text) != present.end()) continue;
        attempt([&] { firewalld.add_source(*source); });
      }
    });
  }
}

/// A reload forgets all sources at once, so one of another attachment tells of all.
bool was_reloaded(const Call& call, net::Firewalld& firewalld, Host& host, std::size_t own) {
  for (const auto& [by, record] :
       host.attachments().list_records(kFirewalldSource, Steps::finished, own + 1)) {
    const auto source = find_firewalld_source(record);
    if (source && by != call.key) return !firewalld.has_source(*source);
  }
  return false;
}

/// A reservation, or a living attachment's journal, says that the address has another owner.
bool is_anothers(const Call& call, Host& host, const net::FirewalldSource& source) {
  Attachments& attachments = host.attachments();
  if (is_anothers(attachments, call.key.of_network(), source.address)) return true;
  const auto records = attachments.list_records(kFirewalldSource, Steps::all);
  return std::any_of(records.begin(), records.end(), [&](const auto& each) {
    return find_firewalld_source(each.record) == source && each.by != call.key &&
           !attachments.is_gone(each.by.owner());
  });
}

}  // namespace

void add_sources(const Call& call, Host& host, const Result& result) {
  const auto sources = sources_of(call, host, result);
  if (sources.empty()) return;
  net::Firewalld firewalld = net::Firewalld::get(call.deadline);
  {
    // No DEL of an earlier owner of the address comes between its record and the source.
    const auto lock = host.attachments().hold_shared_links(sys::LockMode::shared,
                                                           sys::lock_deadline(call.deadline));
    for (const auto& source : sources) {
      host.undo().announce(undo_firewalld_source(source, call.key.owner()));
      firewalld.add_source(source);
    }
  }
  if (was_reloaded(call, firewalld, host, sources.size())) restore(firewalld, host);
}

void check_sources(const Call& call, Host& host, const Result& result) {
  const auto sources = sources_of(call, host, result);
  if (sources.empty()) return;
  net::Firewalld firewalld = net::Firewalld::get(call.deadline);
  for (const auto& source : sources) {
    if (firewalld.has_source(source)) continue;
    throw Error(Code::internal,
                fmt::format("{} is no source of firewalld's zone {}",
                            net::firewalld_text(source.address), source.zone),
                "a reload of firewalld forgets sources; the next ADD, GC or STATUS with this "
                "backend puts them back");
  }
}

void require_firewalld(const Call& call, Host& host) {
  net::Firewalld firewalld = net::Firewalld::get(call.deadline);
  try {
    firewalld.list_sources(zone_of(call));
  } catch (const Error& error) {
    throw Error(Code::not_available, error.msg(), error.details());
  }
  restore(firewalld, host);
}

void restore_sources(const Call& call, Host& host) {
  auto firewalld = net::Firewalld::find(call.deadline);
  if (firewalld) restore(*firewalld, host);
}

void sweep_sources(const Call& call, Host& host) {
  if (!call.prev_result) return;
  std::vector<net::FirewalldSource> sources;
  // The reference adds all, whosesoever they are.
  for (const IpConfig& ip : call.prev_result->ips) {
    const net::FirewalldSource source{zone_of(call), ip.address.address()};
    const bool told = call.options<FirewallOptions>().uses_firewalld();
    if (!told && !net::may_be_firewalld_source(host.nft(), source.address)) continue;
    if (!is_anothers(call, host, source)) sources.push_back(source);
  }
  if (sources.empty()) return;
  auto firewalld = net::Firewalld::find(call.deadline);
  if (!firewalld) return;
  for (const auto& source : sources) firewalld->remove_source(source);
}

}  // namespace unicni::firewall
