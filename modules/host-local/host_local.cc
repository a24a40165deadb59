// host-local: addresses from ranges on this host, remembered in files (unicni/ipam/store.h).
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config.h"
#include "plan.h"
#include "resolv_conf.h"
#include "sticky.h"
#include "take.h"
#include "unicni/error.h"
#include "unicni/ipam/store.h"
#include "unicni/module.h"
#include "unicni/undo/reservation.h"

namespace unicni::host_local {

namespace {

using ipam::RangeSet;
using ipam::Store;

Attachment owner_of(const Call& call) { return call.key.of_network(); }

Dns dns_of(const HostLocalOptions& options) {
  return options.resolv_conf.empty() ? Dns{} : read_resolv_conf(options.resolv_conf);
}

std::vector<RangeSet> required_sets(const Call& call) {
  std::vector<RangeSet> sets = range_sets(call);
  if (sets.empty()) {
    throw Error(Code::invalid_config, "no IP ranges specified",
                "give \"subnet\" or \"ranges\" in \"ipam\", or the capability \"ipRanges\"");
  }
  return sets;
}

// A runtime may ask every few seconds.
void require_free_addresses(Store& store, const std::vector<RangeSet>& sets,
                            const HostLocalOptions& options) {
  const ipam::Intervals never = excluded(options);
  store.end_rests(options.quarantine);
  std::size_t full = 0;
  while (full < sets.size() && store.has_free(sets[full], never, static_cast<int>(full))) ++full;
  if (full == sets.size()) return;
  std::string exhausted;
  std::string all;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const ipam::Usage usage = store.usage(sets[i], never, options.quarantine);
    if (i == full) exhausted = describe_exhausted(sets[i], usage);
    all += fmt::format("{}set {}: {} {}/{} used", all.empty() ? "" : "; ", i,
                       ipam::describe(sets[i]), usage.used, usage.total);
    if (usage.resting > 0) all += fmt::format(", {} resting", usage.resting);
  }
  throw Error(Code::not_available, exhausted, all);
}

class HostLocal : public Module {
 public:
  void validate(const Call& call) override {
    const auto& options = call.options<HostLocalOptions>();
    static_cast<void>(data_dir(options, {}));
    switch (call.command) {
      case Command::add:
        require_usable(required_sets(call), excluded(options));
        static_cast<void>(wanted_addresses(options, required_sets(call)));
        static_cast<void>(sticky_key(options.sticky, call.args));
        require_valid_template(options.sticky);
        static_cast<void>(dns_of(options));
        break;
      case Command::check:
        static_cast<void>(required_sets(call));
        break;
      case Command::status:  // comes without runtimeConfig, so the ranges of a capability are
                             // missing
        require_usable(range_sets(call), excluded(options));
        require_valid_template(options.sticky);
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
    const std::vector<RangeSet> sets = required_sets(call);
    Result result;
    result.routes = options.routes;
    result.dns = dns_of(options);

    const std::string folder = data_dir(options, host.folders());
    const auto will = [&](const IpAddress& address, const std::string& content) {
      host.undo().announce(
          undo_reservation(folder, call.key.network, address, content, options.quarantine > 0));
    };
    const Request request{
        sets,           wanted_addresses(options, sets),       excluded(options),
        owner_of(call), sticky_key(options.sticky, call.args), options.quarantine};
    Store store(folder, call.key.network, call.deadline, true, host.folders().results());
    result.ips = take_addresses(store, request, will);
    return result;
  }

  void del(const Call& call, Host& host) override {
    std::string folder;
    try {
      folder = data_dir(call.options<HostLocalOptions>(), host.folders());
    } catch (const Error& error) {
      host.log(
          LogLevel::warning,
          fmt::format("host-local: {} ({}): no ADD can have reserved there, nothing to release",
                      error.msg(), error.details()));
      return;
    }
    Store store(folder, call.key.network, call.deadline, false, host.folders().results());
    store.release(owner_of(call), call.options<HostLocalOptions>().quarantine > 0);
  }

  void check(const Call& call, Host& host) override {
    const std::vector<RangeSet> sets = required_sets(call);
    const Attachment owner = owner_of(call);
    Store store(data_dir(call.options<HostLocalOptions>(), host.folders()), call.key.network,
                call.deadline, false, host.folders().results());
    std::vector<IpAddress> held = store.find(owner);
    // Read again here: what somebody wrote into a file shows nowhere else.
    std::erase_if(held, [&](const IpAddress& address) { return !store.names(address, owner); });
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
        return ipam::find_range(set, address) != nullptr;
      });
      if (!ours || std::find(held.begin(), held.end(), address) != held.end()) continue;
      throw Error(
          Code::internal,
          fmt::format("address {} of prevResult is not reserved for container {}, interface {}",
                      address.str(), owner.container_id, owner.if_name),
          fmt::format("see {}/{}; {}", store.folder(), address.str(), advice));
    }
  }

  void gc(const Call& call, Host& host) override {
    const ValidAttachments& valid = valid_attachments(call);
    Store store(data_dir(call.options<HostLocalOptions>(), host.folders()), call.key.network,
                call.deadline, false, host.folders().results());
    const Errors errors = store.collect(valid, call.options<HostLocalOptions>().quarantine > 0);
    if (errors.empty()) return;
    std::string all;
    for (const Error& error : errors.all()) all += (all.empty() ? "" : "; ") + error.msg();
    throw Error(errors.all().front().code(),
                fmt::format("{} stale reservations of network {} could not be removed",
                            errors.all().size(), call.key.network),
                all);
  }

  void status(const Call& call, Host& host) override {
    const auto& options = call.options<HostLocalOptions>();
    const std::vector<RangeSet> sets = range_sets(call);
    const std::string folder = data_dir(options, host.folders());
    try {
      ipam::require_writable(folder, call.key.network);
      Store store(folder, call.key.network, call.deadline, false, host.folders().results());
      require_free_addresses(store, sets, options);
    } catch (const Error& error) {
      if (error.is(Code::not_available)) throw;
      throw Error(Code::not_available, error.msg(), error.details());
    }
  }
};

constexpr const char* kCapabilities[] = {"ips", "ipRanges", nullptr};

}  // namespace

}  // namespace unicni::host_local

UNICNI_MODULE(host_local, ipam, unicni::host_local::HostLocal,
              .options = &unicni::host_local::kHostLocalOptions,
              .capabilities = unicni::host_local::kCapabilities);
