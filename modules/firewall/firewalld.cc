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
#include "unicni/undo/records.h"

namespace unicni::firewall {

namespace {

const std::string& zone_of(const Call& call) { return call.options<FirewallOptions>().zone; }

std::vector<net::FirewalldSource> sources_of(const Call& call, const Result& result) {
  std::vector<net::FirewalldSource> sources;
  for (const IpNet& each : attachment_addresses(result, call.if_name)) {
    sources.push_back({zone_of(call), each.address()});
  }
  return sources;
}

/// Adds what the journals know and the zones don't have. Goes on past zones and addresses that are
/// refused: they are not this call's.
void restore(net::Firewalld& firewalld, Host& host) {
  std::set<std::string> zones_done;
  const std::vector<Undo> records = host.remembered(kFirewalldSource, Steps::finished);
  const auto attempt = [&](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      host.log(LogLevel::warning, "restore sources of firewalld: " + error.msg());
    }
  };
  for (const Undo& record : records) {
    const auto first = find_firewalld_source(record);
    if (!first || !zones_done.insert(first->zone).second) continue;
    attempt([&] {
      const auto present = firewalld.list_sources(first->zone);
      for (const Undo& other : records) {
        const auto source = find_firewalld_source(other);
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
  for (const Undo& record : host.remembered(kFirewalldSource, Steps::finished, own + 1)) {
    const auto source = find_firewalld_source(record);
    const std::pair<std::string, std::string> owner{"owner", call.owner()};
    const bool ours =
        std::find(record.fields.begin(), record.fields.end(), owner) != record.fields.end();
    if (source && !ours) return !firewalld.has_source(*source);
  }
  return false;
}

/// A reservation, or a living attachment's journal, says that the address has another owner.
bool is_anothers(const Call& call, Host& host, const net::FirewalldSource& source) {
  if (host.is_anothers({call.container_id, call.if_name}, source.address)) return true;
  const auto records = host.remembered(kFirewalldSource, Steps::all);
  return std::any_of(records.begin(), records.end(), [&](const Undo& record) {
    if (find_firewalld_source(record) != source) return false;
    const auto owner = std::find_if(record.fields.begin(), record.fields.end(),
                                    [](const auto& field) { return field.first == "owner"; });
    return owner != record.fields.end() && owner->second != call.owner() &&
           !host.is_gone(owner->second);
  });
}

}  // namespace

void add_sources(const Call& call, Host& host, const Result& result) {
  const auto sources = sources_of(call, result);
  if (sources.empty()) return;
  net::Firewalld firewalld = net::Firewalld::get(call.deadline);
  {
    // No DEL of an earlier owner of the address comes between its record and the source.
    const auto lock = host.hold_shared_links();
    for (const auto& source : sources) {
      host.undo().will(undo_firewalld_source(source, call.owner()));
      firewalld.add_source(source);
    }
  }
  if (was_reloaded(call, firewalld, host, sources.size())) restore(firewalld, host);
}

void check_sources(const Call& call, const Result& result) {
  const auto sources = sources_of(call, result);
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
