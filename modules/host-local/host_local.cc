// host-local: addresses from ranges on this host, remembered in files (unicni/ipam/store.h).
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config.h"
#include "plan.h"
#include "resolv_conf.h"
#include "unicni/error.h"
#include "unicni/ipam/store.h"
#include "unicni/module.h"

namespace unicni::host_local {

namespace {

using ipam::Range;
using ipam::RangeSet;
using ipam::Store;

Attachment owner_of(const Call& call) { return {call.container_id, call.if_name}; }

Dns dns_of(const HostLocalOptions& options) {
  return options.resolv_conf.empty() ? Dns{} : read_resolv_conf(options.resolv_conf);
}

const Range* find_range(const RangeSet& set, const IpAddress& address) {
  const auto holder = std::find_if(set.begin(), set.end(),
                                   [&](const Range& range) { return range.contains(address); });
  return holder == set.end() ? nullptr : &*holder;
}

std::vector<RangeSet> required_sets(const Call& call) {
  std::vector<RangeSet> sets = range_sets(call);
  if (sets.empty()) {
    throw Error(Code::invalid_config, "no IP ranges specified",
                "give \"subnet\" or \"ranges\" in \"ipam\", or the capability \"ipRanges\"");
  }
  return sets;
}

// What one ADD has reserved so far; given back unless it succeeds. Older reservations are not among
// it.
class Taken {
 public:
  explicit Taken(Store& store) : store_(store) {}
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  ~Taken() {
    for (const IpAddress& address : addresses_) {
      try {
        store_.remove(address);
      } catch (const Error&) {  // the undo log has it as well
      }
    }
  }
  void add(const IpAddress& address) { addresses_.push_back(address); }
  void keep() { addresses_.clear(); }

 private:
  Store& store_;
  std::vector<IpAddress> addresses_;
};

// One address of one set.
IpConfig take(Store& store, const RangeSet& set, int index, const std::optional<IpAddress>& wanted,
              const Attachment& owner, const Store::Announce& will) {
  if (wanted) {
    if (!store.reserve(*wanted, owner, index, will)) {
      throw Error(Code::internal,
                  fmt::format("requested IP address {} is not available in range set {}",
                              wanted->str(), ipam::describe(set)),
                  fmt::format("{}/{} says who has it", store.folder(), wanted->str()));
    }
    const Range* range = find_range(set, *wanted);
    return {IpNet(*wanted, range->subnet.prefix_length()), range->gateway, {}, {}};
  }
  const auto got = ipam::allocate(set, store.last_reserved(index), [&](const IpAddress& address) {
    return store.reserve(address, owner, index, will);
  });
  if (!got) {
    throw Error(
        Code::internal,
        fmt::format("no IP addresses available in range set: {}", ipam::describe(set)),
        fmt::format("all {} are reserved in {}; remove attachments, run GC, or give a larger range",
                    ipam::capacity(set), store.folder()));
  }
  return {IpNet(got->first, got->second->subnet.prefix_length()), got->second->gateway, {}, {}};
}

[[noreturn]] void fail_for_range(std::size_t index, const Error& error) {
  throw Error(error.code(), fmt::format("failed to allocate for range {}: {}", index, error.msg()),
              error.details());
}

void refuse_duplicate(const Store& store, const std::vector<RangeSet>& sets,
                      const std::vector<std::optional<IpAddress>>& wanted,
                      const Attachment& owner) {
  if (std::all_of(wanted.begin(), wanted.end(), [](const auto& each) { return each.has_value(); }))
    return;
  const std::vector<IpAddress> held = store.find(owner);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (wanted[i]) continue;
    for (const IpAddress& address : held) {
      if (find_range(sets[i], address) == nullptr) continue;
      fail_for_range(
          i, Error(Code::internal,
                   fmt::format("{} has been allocated to {}, duplicate allocation is not allowed",
                               address.str(), owner.container_id),
                   fmt::format("run DEL for container {} and interface {} first",
                               owner.container_id, owner.if_name)));
    }
  }
}

// The addresses that ADD would find taken, with the files that name nobody left out.
std::vector<IpAddress> owned_addresses(const Store& store) {
  std::vector<IpAddress> result;
  for (const ipam::Reservation& each : store.list()) {
    if (!each.container_id.empty()) result.push_back(each.address);
  }
  return result;
}

std::uint64_t count_used(const RangeSet& set, const std::vector<IpAddress>& addresses) {
  const auto counts = [&](const IpAddress& address) {
    const Range* range = find_range(set, address);
    return range != nullptr && address != range->gateway;
  };
  return static_cast<std::uint64_t>(std::count_if(addresses.begin(), addresses.end(), counts));
}

// A runtime may ask every few seconds: the names of the files say enough unless a set seems to be
// full.
void require_free_addresses(const Store& store, const std::vector<RangeSet>& sets) {
  const std::vector<IpAddress> names = store.addresses();
  std::string exhausted;
  std::string all;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::uint64_t total = ipam::capacity(sets[i]);
    std::uint64_t used = count_used(sets[i], names);
    if (used >= total) used = count_used(sets[i], owned_addresses(store));
    const std::string range = ipam::describe(sets[i]);
    if (used >= total && exhausted.empty()) {
      exhausted = fmt::format("no IP addresses available in range set: {} ({} of {} used)", range,
                              used, total);
    }
    all += fmt::format("{}set {}: {} {}/{} used", all.empty() ? "" : "; ", i, range, used, total);
  }
  if (!exhausted.empty()) throw Error(Code::not_available, exhausted, all);
}

class HostLocal : public Module {
 public:
  void validate(const Call& call) override {
    const auto& options = call.options<HostLocalOptions>();
    static_cast<void>(data_dir(options));
    switch (call.command) {
      case Command::add:
        static_cast<void>(wanted_addresses(options, required_sets(call)));
        static_cast<void>(dns_of(options));
        break;
      case Command::check:
        static_cast<void>(required_sets(call));
        break;
      case Command::status:  // comes without runtimeConfig, so the ranges of a capability are
                             // missing
        static_cast<void>(range_sets(call));
        break;
      case Command::gc:
        static_cast<void>(valid_attachments(call));
        break;
      case Command::del:
      case Command::version:
        break;
    }
  }

  Result add(const Call& call, Host& host) override {
    const auto& options = call.options<HostLocalOptions>();
    const Attachment owner = owner_of(call);
    const std::vector<RangeSet> sets = required_sets(call);
    const std::vector<std::optional<IpAddress>> wanted = wanted_addresses(options, sets);
    Result result;
    result.routes = options.routes;
    result.dns = dns_of(options);

    Store store(data_dir(options), call.network, call.deadline, true);
    refuse_duplicate(store, sets, wanted, owner);
    const auto will = [&](const std::string& path, const std::string& content) {
      host.undo().will(undo_file(path, content));
    };
    Taken taken(store);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      try {
        result.ips.push_back(take(store, sets[i], static_cast<int>(i), wanted[i], owner, will));
      } catch (const Error& error) {
        fail_for_range(i, error);
      }
      taken.add(result.ips.back().address.address());
    }
    taken.keep();
    return result;
  }

  void del(const Call& call, Host& host) override {
    std::string folder;
    try {
      folder = data_dir(call.options<HostLocalOptions>());
    } catch (const Error& error) {
      host.log(
          LogLevel::warning,
          fmt::format("host-local: {} ({}): no ADD can have reserved there, nothing to release",
                      error.msg(), error.details()));
      return;
    }
    Store store(folder, call.network, call.deadline, false);
    if (store.exists()) store.release(owner_of(call));
  }

  void check(const Call& call, Host&) override {
    const std::vector<RangeSet> sets = required_sets(call);
    const Attachment owner = owner_of(call);
    const Store store(data_dir(call.options<HostLocalOptions>()), call.network, call.deadline,
                      false);
    const std::vector<IpAddress> held = store.find(owner);
    const std::string advice = fmt::format(
        "the address may be given to another container: run DEL, then ADD for container {}, "
        "interface {}",
        owner.container_id, owner.if_name);
    if (held.empty()) {
      throw Error(Code::internal,
                  fmt::format("Failed to find address added by container {}", owner.container_id),
                  fmt::format("no file in {} names it; {}", store.folder(), advice));
    }
    if (!call.prev_result) return;
    for (const IpConfig& ip : call.prev_result->ips) {
      const IpAddress& address = ip.address.address();
      const bool ours = std::any_of(sets.begin(), sets.end(), [&](const RangeSet& set) {
        return find_range(set, address) != nullptr;
      });
      if (!ours || std::find(held.begin(), held.end(), address) != held.end()) continue;
      throw Error(
          Code::internal,
          fmt::format("address {} of prevResult is not reserved for container {}, interface {}",
                      address.str(), owner.container_id, owner.if_name),
          fmt::format("see {}/{}; {}", store.folder(), address.str(), advice));
    }
  }

  void gc(const Call& call, Host&) override {
    const std::vector<Attachment>& valid = valid_attachments(call);
    Store store(data_dir(call.options<HostLocalOptions>()), call.network, call.deadline, false);
    if (!store.exists()) return;
    // A container id holds no '/', so id alone (which the old format compares) and id/ifname never
    // meet.
    std::unordered_set<std::string> keys;
    keys.reserve(valid.size() * 2);
    for (const Attachment& each : valid) {
      keys.insert(each.container_id);
      keys.insert(each.container_id + '/' + each.if_name);
    }
    std::vector<Error> errors;
    for (const ipam::Reservation& each : store.list()) {
      try {
        if (each.container_id.empty()) {
          store.remove_abandoned(each.address);
        } else if (!keys.contains(each.if_name.empty() ? each.container_id
                                                       : each.container_id + '/' + each.if_name)) {
          store.remove(each.address);
        }
      } catch (const Error& error) {
        errors.push_back(error);
      }
    }
    if (errors.empty()) return;
    std::string all;
    for (const Error& error : errors) all += (all.empty() ? "" : "; ") + error.msg();
    throw Error(errors.front().code(),
                fmt::format("{} stale reservations of network {} could not be removed",
                            errors.size(), call.network),
                all);
  }

  void status(const Call& call, Host&) override {
    const std::vector<RangeSet> sets = range_sets(call);
    const std::string folder = data_dir(call.options<HostLocalOptions>());
    try {
      ipam::require_writable(folder, call.network);
      require_free_addresses(Store(folder, call.network, call.deadline, false), sets);
    } catch (const Error& error) {
      if (error.is(Code::not_available)) throw;
      throw Error(Code::not_available, error.msg(), error.details());
    }
  }
};

constexpr const char* kCapabilities[] = {"ips", "ipRanges", nullptr};

}  // namespace

}  // namespace unicni::host_local

UNICNI_MODULE(host_local, "host-local", 2,
              unicni::module_descriptor<unicni::host_local::HostLocal>(
                  "host-local", unicni::ModuleKind::ipam, &unicni::host_local::kHostLocalOptions,
                  unicni::host_local::kCapabilities));
