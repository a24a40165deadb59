#include "plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "unicni/error.h"

namespace unicni::host_local {

namespace {

std::optional<IpAddress> parse_wanted(std::string_view text) {
  if (text.find('/') == std::string_view::npos) return IpAddress::parse(text);
  const std::optional<IpNet> net = IpNet::parse(text);
  return net ? std::optional(net->address()) : std::nullopt;
}

void want(std::vector<IpAddress>& list, const IpAddress& address) {
  if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(address);
}

void want(std::vector<IpAddress>& list, const std::vector<std::string>& texts, const char* source) {
  for (const std::string& text : texts) {
    const std::optional<IpAddress> address = parse_wanted(text);
    if (!address) {
      throw Error(Code::invalid_config,
                  fmt::format("invalid IP address {} in \"{}\"", text, source),
                  "allowed are addresses such as 10.1.2.3 and 2001:db8::3, with or without a "
                  "prefix length");
    }
    want(list, *address);
  }
}

std::vector<IpAddress> all_wanted(const HostLocalOptions& options) {
  std::vector<IpAddress> list;
  if (options.cni_args_ip) {
    const std::optional<IpAddress> address = parse_wanted(*options.cni_args_ip);
    if (!address) {
      throw Error(
          Code::invalid_environment,
          fmt::format("ARGS: error parsing value of pair \"IP={0}\": invalid IP address {0}",
                      *options.cni_args_ip),
          "CNI_ARGS IP takes one address such as 10.1.2.3, with or without a prefix length");
    }
    want(list, *address);
  }
  want(list, options.args_ips, "args.cni.ips");
  want(list, options.runtime_ips, "runtimeConfig.ips");
  return list;
}

void refuse_unusable(const ipam::RangeSet& set, const IpAddress& address) {
  for (const ipam::Range& range : set) {
    const ipam::Interval hosts = ipam::usable(range.subnet);
    if (!range.subnet.contains(address) || (hosts.first <= address && address <= hosts.last))
      continue;
    throw Error(Code::invalid_config,
                fmt::format("requested ip {} is the {} address of {}", address.str(),
                            address < hosts.first ? "network" : "broadcast", range.subnet.str()),
                fmt::format("request another address of {}", ipam::describe(set)));
  }
}

bool has_parent_component(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

}  // namespace

std::string data_dir(const HostLocalOptions& options, const Folders& folders) {
  const std::string& path = options.data_dir;
  if (path.empty() || path == kDefaultDataDir) return folders.reservations();
  const bool has_control =
      std::any_of(path.begin(), path.end(), [](char c) { return c >= 0 && c < ' '; });
  if (path.front() != '/' || has_control || has_parent_component(path)) {
    throw Error(Code::invalid_config, fmt::format("\"dataDir\" is '{}'", has_control ? "…" : path),
                "allowed is an absolute path without \"..\" and control characters");
  }
  return path;
}

std::vector<ipam::RangeSet> range_sets(const Call& call) {
  const auto& options = call.options<HostLocalOptions>();
  std::vector<std::vector<ipam::RangeConfig>> configs = options.runtime_ranges;
  if (options.subnet) {
    configs.push_back({{options.subnet, options.range_start, options.range_end, options.gateway}});
  }
  configs.insert(configs.end(), options.ranges.begin(), options.ranges.end());
  std::vector<ipam::RangeSet> sets = ipam::canonical_sets(configs);

  const auto v4 =
      std::count_if(sets.begin(), sets.end(), [](const auto& set) { return set[0].start.is_v4(); });
  const bool one_each = v4 <= 1 && static_cast<std::size_t>(v4) + 1 >= sets.size();
  const std::string& version = call.spec_version;
  if (!one_each && (version.empty() || version == "0.1.0" || version == "0.2.0")) {
    throw Error(Code::invalid_config,
                fmt::format("CNI version {} does not support more than 1 address per family",
                            version.empty() ? "0.1.0" : version),
                "use cniVersion 0.3.0 or later, or one range set a family");
  }
  return sets;
}

void require_usable(const std::vector<ipam::RangeSet>& sets, const ipam::Intervals& excluded) {
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (ipam::capacity(sets[i], excluded) > 0) continue;
    throw Error(Code::invalid_config,
                fmt::format("range set {}: {} has no address to give", i, ipam::describe(sets[i])),
                "its only addresses are gateways or in \"exclude\": enlarge the range, or name "
                "another \"gateway\"");
  }
}

ipam::Intervals excluded(const HostLocalOptions& options) {
  std::vector<ipam::Interval> intervals;
  intervals.reserve(options.exclude.size());
  for (const std::string& text : options.exclude) {
    const std::optional<ipam::Interval> interval = ipam::parse_interval(text);
    if (!interval) {
      throw Error(Code::invalid_config, fmt::format("invalid entry '{}' in \"exclude\"", text),
                  "allowed are addresses (10.1.2.3), subnets (10.1.2.0/28) and first-last "
                  "(10.1.2.3-10.1.2.9)");
    }
    intervals.push_back(*interval);
  }
  return ipam::merge(std::move(intervals));
}

std::vector<std::optional<IpAddress>> wanted_addresses(const HostLocalOptions& options,
                                                       const std::vector<ipam::RangeSet>& sets) {
  std::vector<IpAddress> pending = all_wanted(options);
  const ipam::Intervals never = pending.empty() ? ipam::Intervals() : excluded(options);
  std::vector<std::optional<IpAddress>> result(sets.size());
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const ipam::Range* range = nullptr;
    const auto match = std::find_if(pending.begin(), pending.end(), [&](const IpAddress& address) {
      const auto holder =
          std::find_if(sets[i].begin(), sets[i].end(),
                       [&](const ipam::Range& each) { return each.contains(address); });
      range = holder == sets[i].end() ? nullptr : &*holder;
      return range != nullptr;
    });
    if (match == pending.end()) continue;
    if (*match == range->gateway) {
      throw Error(
          Code::invalid_config,
          fmt::format("failed to allocate for range {}: requested ip {} is subnet's gateway", i,
                      match->str()),
          fmt::format("request another address of {}", ipam::describe(sets[i])));
    }
    if (ipam::find_interval(never, *match) != nullptr) {
      throw Error(Code::invalid_config,
                  fmt::format("failed to allocate for range {}: requested ip {} is excluded", i,
                              match->str()),
                  "request another address, or take this one out of \"exclude\" in \"ipam\"");
    }
    result[i] = *match;
    pending.erase(match);
  }
  for (const IpAddress& address : pending) {
    for (const ipam::RangeSet& set : sets) refuse_unusable(set, address);
  }
  if (!pending.empty()) {
    std::string text = "failed to allocate all requested IPs:";
    for (const IpAddress& address : pending) text += ' ' + address.str();
    std::string allowed;
    for (const ipam::RangeSet& set : sets)
      allowed += (allowed.empty() ? "" : "; ") + ipam::describe(set);
    throw Error(Code::invalid_config, text,
                fmt::format("one address may be requested from each range set: {}", allowed));
  }
  return result;
}

const ValidAttachments& valid_attachments(const Call& call) {
  if (!call.valid_attachments) {
    throw Error(Code::invalid_config, "GC without a list of valid attachments; nothing was removed",
                "the runtime must give \"cni.dev/valid-attachments\"; an empty list means that "
                "none is valid");
  }
  return *call.valid_attachments;
}

}  // namespace unicni::host_local
