// Token buckets and redirections, with the numbers that the reference plugin uses.
#include "unicni/net/qdisc.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

/// The handles of the reference plugin, so that either program finds what the other one made.
constexpr std::uint32_t kRootHandle = 0x00010000;     // 1:
constexpr std::uint32_t kIngressHandle = 0xffff0000;  // ffff:
constexpr std::uint32_t kFlow = 0x00010001;           // 1:1
constexpr std::uint32_t kPreference = 1U << 16U;      // upper half of tcm_info
constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();

std::uint32_t parent_of(QdiscPlace place) {
  return place == QdiscPlace::root ? TC_H_ROOT : TC_H_INGRESS;
}

const char* name_of(QdiscPlace place) { return place == QdiscPlace::root ? "root" : "ingress"; }

tcmsg& put_place(nl_msg* message, int index, std::uint32_t parent, std::uint32_t handle) {
  auto& header = put_header<tcmsg>(message);
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = index;
  header.tcm_parent = parent;
  header.tcm_handle = handle;
  return header;
}

/// tc_tbf_qopt holds a rate of 32 bits, at most 34 Gbit/s. A larger one comes in TCA_TBF_RATE64.
TokenBucket parse_bucket(const nlattr* options) {
  TokenBucket bucket;
  for_each_attribute(options, [&](std::uint16_t type, const nlattr* attribute) {
    if (type == TCA_TBF_PARMS) {
      const auto parameters = value_of<tc_tbf_qopt>(attribute);
      if (bucket.rate == 0) bucket.rate = parameters.rate.rate;
      bucket.limit = parameters.limit;
      bucket.buffer = parameters.buffer;
    }
    if (type == TCA_TBF_RATE64) bucket.rate = value_of<std::uint64_t>(attribute);
  });
  return bucket;
}

/// nullopt for what the kernel gives a link by itself (noqueue, pfifo_fast, mq): that has no
/// handle.
std::optional<Qdisc> parse_qdisc(const nlmsghdr* message) {
  if (family_header<tcmsg>(message).tcm_handle == 0) {
    return std::nullopt;
  }
  Qdisc qdisc;
  const nlattr* options = nullptr;
  for_each_attribute(message, sizeof(tcmsg), [&](std::uint16_t type, const nlattr* attribute) {
    if (type == TCA_KIND) qdisc.kind = text_of(attribute);
    if (type == TCA_OPTIONS) options = attribute;
  });
  if (options != nullptr && qdisc.kind == "tbf") qdisc.bucket = parse_bucket(options);
  return qdisc;
}

/// Target of the first mirred redirection among the actions of a filter.
std::optional<int> target_of(const nlattr* actions) {
  std::optional<int> target;
  for_each_attribute(actions, [&](std::uint16_t, const nlattr* action) {
    std::string kind;
    const nlattr* options = nullptr;
    for_each_attribute(action, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == TCA_ACT_KIND) kind = text_of(attribute);
      if (type == TCA_ACT_OPTIONS) options = attribute;
    });
    if (kind != "mirred" || options == nullptr || target) return;
    for_each_attribute(options, [&](std::uint16_t type, const nlattr* attribute) {
      if (type != TCA_MIRRED_PARMS) return;
      const auto parameters = value_of<tc_mirred>(attribute);
      if (parameters.eaction == TCA_EGRESS_REDIR) target = static_cast<int>(parameters.ifindex);
    });
  });
  return target;
}

std::optional<int> parse_redirect(const nlmsghdr* message) {
  std::string kind;
  const nlattr* options = nullptr;
  for_each_attribute(message, sizeof(tcmsg), [&](std::uint16_t type, const nlattr* attribute) {
    if (type == TCA_KIND) kind = text_of(attribute);
    if (type == TCA_OPTIONS) options = attribute;
  });
  std::optional<int> target;
  if (kind != "u32" || options == nullptr) return target;
  for_each_attribute(options, [&](std::uint16_t type, const nlattr* attribute) {
    if (type == TCA_U32_ACT) target = target_of(attribute);
  });
  return target;
}

/// No such qdisc, or (ENODEV) no such link any more: its namespace may be ending right now.
bool is_none(int error) { return error == ENOENT || error == EINVAL || error == ENODEV; }

/// One selector key of zeros, which matches every packet.
void put_match_all(nl_msg* message) {
  // Byte by byte, as the structure ends with an array of no size, which C++ can't initialise.
  std::array<char, sizeof(tc_u32_sel) + sizeof(tc_u32_key)> bytes{};
  bytes[offsetof(tc_u32_sel, flags)] = TC_U32_TERMINAL;
  bytes[offsetof(tc_u32_sel, nkeys)] = 1;
  put_bytes(message, TCA_U32_SEL, bytes.size(), bytes.data());
}

}  // namespace

/// The reference's formulas: a latency of 25 ms, computed in floating point. Its conversions cut
/// the result to 32 bits; here it stops at the largest one.
TokenBucket token_bucket(std::uint64_t rate, std::uint64_t burst) {
  constexpr std::uint64_t kUsPerSecond = 1'000'000;
  constexpr std::uint64_t kLatencyUs = 25'000;
  const std::uint64_t bytes_per_second = rate / 8;
  const std::uint64_t bytes = std::min(burst / 8, kMost);
  const auto cut = [](double value) {
    return value < static_cast<double>(kMost) ? static_cast<std::uint64_t>(value) : kMost;
  };
  const std::uint64_t time = cut(static_cast<double>(bytes) * static_cast<double>(kUsPerSecond) /
                                 static_cast<double>(bytes_per_second));
  const std::uint64_t waiting =
      cut(static_cast<double>(bytes_per_second) * kLatencyUs / kUsPerSecond);
  TokenBucket bucket;
  bucket.rate = bytes_per_second;
  bucket.limit = static_cast<std::uint32_t>(std::min(waiting + bytes, kMost));
  bucket.buffer = static_cast<std::uint32_t>(cut(static_cast<double>(time) * kPschedTicksPerUs));
  return bucket;
}

/// CHECK accepts what the reference would have set as well, as it may have made the attachment.
std::uint32_t reference_buffer(std::uint64_t rate, std::uint64_t burst) {
  // Go's conversion of a float to 32 bits on amd64: whole number, low half.
  const auto low = [](double value) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(value));
  };
  const auto bytes = static_cast<double>(static_cast<std::uint32_t>(burst / 8));
  const std::uint32_t time = low(bytes * 1e6 / static_cast<double>(rate / 8));
  return low(static_cast<double>(time) * kPschedTicksPerUs);
}

std::optional<Qdisc> find_qdisc(Netlink& netlink, const LinkRef& link, QdiscPlace place) {
  // Without NLM_F_ECHO the answer goes to others only; for some qdiscs there is none at all.
  SingleRequest request(RTM_GETQDISC, NLM_F_ACK | NLM_F_ECHO);
  put_place(request, link.index, parent_of(place), 0);
  std::optional<Qdisc> qdisc;
  const int error =
      netlink.ask(request, [&](const nlmsghdr* message) { qdisc = parse_qdisc(message); });
  if (is_none(error)) return std::nullopt;
  if (error != 0) {
    throw system_error(error, fmt::format("look up {} qdisc of {}", name_of(place), link.name));
  }
  return qdisc;
}

/// A qdisc goes with its filters and queued packets; the kernel puts the default one in its place.
bool remove_qdisc(Netlink& netlink, const LinkRef& link, QdiscPlace place) {
  SingleRequest request(RTM_DELQDISC);
  put_place(request, link.index, parent_of(place), 0);
  const int error = netlink.ask(request, {});
  if (is_none(error)) return false;
  if (error != 0) {
    throw system_error(error, fmt::format("delete {} qdisc of {}", name_of(place), link.name));
  }
  return true;
}

/// NLM_F_EXCL: a root qdisc that somebody else has set is an error and isn't replaced.
void add_token_bucket(Batch& batch, const LinkRef& link, const TokenBucket& bucket) {
  nl_msg* message =
      batch.add(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
                fmt::format("limit {} to {} bytes a second (qdisc tbf)", link.name, bucket.rate));
  put_place(message, link.index, TC_H_ROOT, kRootHandle);
  put_text(message, TCA_KIND, "tbf");
  const Nest options(message, TCA_OPTIONS);
  tc_tbf_qopt parameters{};
  parameters.rate.rate = static_cast<std::uint32_t>(std::min(bucket.rate, kMost));
  parameters.rate.linklayer = TC_LINKLAYER_ETHERNET;
  parameters.limit = bucket.limit;
  parameters.buffer = bucket.buffer;
  put_bytes(message, TCA_TBF_PARMS, sizeof parameters, &parameters);
  if (bucket.rate > kMost) put_u64(message, TCA_TBF_RATE64, bucket.rate);
}

/// Packets can be queued only on their way out. What the host end receives is sent out by an ifb,
/// whose root qdisc limits it. TC_ACT_STOLEN: the packet goes on behind the ifb.
void redirect_received(Batch& batch, const LinkRef& link, const LinkRef& to) {
  nl_msg* message = batch.add(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
                              fmt::format("add ingress qdisc to {}", link.name));
  put_place(message, link.index, TC_H_INGRESS, kIngressHandle);
  put_text(message, TCA_KIND, "ingress");

  message = batch.add(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL,
                      fmt::format("redirect what {} receives to {}", link.name, to.name));
  put_place(message, link.index, kIngressHandle, 0).tcm_info = kPreference | htons(ETH_P_ALL);
  put_text(message, TCA_KIND, "u32");
  const Nest options(message, TCA_OPTIONS);
  put_u32(message, TCA_U32_CLASSID, kFlow);
  {
    const Nest actions(message, TCA_U32_ACT);
    const Nest first(message, 1);
    put_text(message, TCA_ACT_KIND, "mirred");
    const Nest action(message, TCA_ACT_OPTIONS);
    tc_mirred redirect{};
    redirect.action = TC_ACT_STOLEN;
    redirect.eaction = TCA_EGRESS_REDIR;
    redirect.ifindex = static_cast<std::uint32_t>(to.index);
    put_bytes(message, TCA_MIRRED_PARMS, sizeof redirect, &redirect);
  }
  put_match_all(message);
}

std::optional<int> find_redirect(Netlink& netlink, const LinkRef& link) {
  SingleRequest request(RTM_GETTFILTER, NLM_F_DUMP);
  put_place(request, link.index, kIngressHandle, 0);
  std::optional<int> target;
  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    if (!target) target = parse_redirect(message);
  });
  if (error != 0 && !is_none(error)) {
    throw system_error(error, fmt::format("list filters of {}", link.name));
  }
  return target;
}

}  // namespace unicni::net
