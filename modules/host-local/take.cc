#include "take.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"

namespace unicni::host_local {

namespace {

using ipam::Range;
using ipam::RangeSet;
using ipam::Store;

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

IpConfig config_of(const IpAddress& address, const Range& range) {
  return {IpNet(address, range.subnet.prefix_length()), range.gateway, {}, {}};
}

[[noreturn]] void fail_for_range(std::size_t index, const Error& error) {
  throw Error(error.code(), fmt::format("failed to allocate for range {}: {}", index, error.msg()),
              error.details());
}

void refuse_duplicate(Store& store, const Request& request) {
  if (std::all_of(request.wanted.begin(), request.wanted.end(),
                  [](const auto& each) { return each.has_value(); }))
    return;
  const std::vector<IpAddress> held = store.find(request.owner);
  for (std::size_t i = 0; i < request.sets.size(); ++i) {
    if (request.wanted[i]) continue;
    for (const IpAddress& address : held) {
      if (ipam::find_range(request.sets[i], address) == nullptr) continue;
      fail_for_range(
          i, Error(Code::internal,
                   fmt::format("{} has been allocated to {}, duplicate allocation is not allowed",
                               address.str(), request.owner.container_id),
                   fmt::format("run DEL for container {} and interface {} first",
                               request.owner.container_id, request.owner.if_name)));
    }
  }
}

IpConfig take_wanted(Store& store, const Request& request, std::size_t i,
                     const Store::Announce& will) {
  const IpAddress& wanted = *request.wanted[i];
  const RangeSet& set = request.sets[i];
  if (!store.reserve(wanted, request.owner, static_cast<int>(i), will, request.sticky)) {
    throw Error(
        Code::internal,
        fmt::format("requested IP address {} is not available in range set {}", wanted.str(),
                    ipam::describe(set)),
        fmt::format("request another address, or DEL the attachment that the file {}/{} names",
                    store.folder(), wanted.str()));
  }
  return config_of(wanted, *ipam::find_range(set, wanted));
}

// An address that was this one's before. The cursor stays: nobody's turn is over by it.
std::optional<IpConfig> take_old(Store& store, const Request& request, std::size_t i,
                                 const Store::Announce& will) {
  std::vector<IpAddress> old = store.find_earlier(request.owner);
  if (!request.sticky.empty()) {
    const std::vector<IpAddress> known = store.find_sticky(request.sticky);
    old.insert(old.end(), known.begin(), known.end());
  }
  for (const IpAddress& address : old) {
    const Range* range = ipam::find_range(request.sets[i], address);
    if (range == nullptr || address == range->gateway ||
        ipam::find_interval(request.excluded, address) != nullptr)
      continue;
    if (store.reserve(address, request.owner, std::nullopt, will, request.sticky))
      return config_of(address, *range);
  }
  return std::nullopt;
}

IpConfig take(Store& store, const Request& request, std::size_t i, const Store::Announce& will) {
  if (request.wanted[i]) return take_wanted(store, request, i, will);
  if (const auto old = take_old(store, request, i, will)) return *old;
  const RangeSet& set = request.sets[i];
  const auto got = store.allocate(set, request.excluded, request.owner, static_cast<int>(i), will,
                                  request.sticky);
  if (got) return config_of(got->first, *got->second);
  const ipam::Usage usage = store.usage(set, request.excluded, request.quarantine);
  throw Error(Code::internal, describe_exhausted(set, usage),
              usage.resting > 0
                  ? fmt::format("wait, shorten \"quarantine\" ({} s), or give a larger range",
                                request.quarantine)
                  : fmt::format("all are reserved in {}; remove attachments, run GC, or give a "
                                "larger range",
                                store.folder()));
}

}  // namespace

std::vector<IpConfig> take_addresses(Store& store, const Request& request,
                                     const Store::Announce& will) {
  store.end_rests(request.quarantine);
  refuse_duplicate(store, request);
  std::vector<IpConfig> result;
  Taken taken(store);
  for (std::size_t i = 0; i < request.sets.size(); ++i) {
    try {
      result.push_back(take(store, request, i, will));
    } catch (const Error& error) {
      fail_for_range(i, error);
    }
    taken.add(result.back().address.address());
  }
  taken.keep();
  return result;
}

std::string describe_exhausted(const RangeSet& set, const ipam::Usage& usage) {
  std::string text = fmt::format("no IP addresses available in range set: {} ({} of {} used",
                                 ipam::describe(set), usage.used, usage.total);
  if (usage.resting > 0) {
    text += fmt::format(", {} resting, the first for {} s more", usage.resting,
                        std::max<std::int64_t>(usage.next_rested, 1));
  }
  return text + ')';
}

}  // namespace unicni::host_local
