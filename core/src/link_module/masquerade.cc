#include "unicni/masquerade.h"

#include <algorithm>
#include <utility>

#include "undo/iptables_records.h"
#include "unicni/attachment_rules.h"
#include "unicni/error.h"
#include "unicni/host_side.h"
#include "unicni/netfilter/iptables_masquerade.h"
#include "unicni/netfilter/reference_rules.h"
#include "unicni/undo/iptables_masquerade.h"
#include "unicni/undo/nft.h"

namespace unicni {

namespace {

/// With the other backends `more` (bridge's spoof check) still goes into our own tables.
std::vector<net::NftElement> elements_of(const Call& call, const Result& result,
                                         MasqBackend backend,
                                         const std::vector<net::NftElement>& more) {
  std::vector<net::NftElement> elements;
  if (backend == MasqBackend::nftables) {
    for (const IpConfig& ip : result.ips) {
      elements.push_back(net::masquerade_element(ip.address, call.key.owner()));
    }
  }
  elements.insert(elements.end(), more.begin(), more.end());
  return elements;
}

net::IptablesMasquerade iptables_of(const Call& call, const Result& result) {
  net::IptablesMasquerade masquerade{call.key, {}};
  for (const IpConfig& ip : result.ips) masquerade.addresses.push_back(ip.address);
  return masquerade;
}

void require_masquerade(const Call& call, Host& host, const Result& result, MasqBackend backend,
                        const std::vector<net::NftElement>& more) {
  const auto elements = elements_of(call, result, backend, more);
  try {
    if (!elements.empty()) host.nft().require_effective(elements);
  } catch (const Error&) {
    // On a node that was upgraded under running containers the reference's rules do the same.
    const bool references =
        backend == MasqBackend::nftables && more.empty() &&
        net::has_iptables_masquerade(host.nft(), iptables_of(call, result), call.deadline);
    if (!references) throw;
  }
  if (backend == MasqBackend::iptables && !result.ips.empty() &&
      !net::has_iptables_masquerade(host.nft(), iptables_of(call, result), call.deadline)) {
    throw Error(Code::internal, "the iptables rules of ipMasq are missing in table nat",
                "the attachment is broken: DEL and ADD it again");
  }
}

/// Whether ADD announced `ip`'s masquerade in one of `records`, which are of the backend's kind.
bool is_announced(const Call& call, const IpConfig& ip, MasqBackend backend,
                  const std::vector<Undo>& records) {
  return std::any_of(records.begin(), records.end(), [&](const Undo& record) {
    if (backend == MasqBackend::nftables) {
      return record == undo_nft(net::masquerade_element(ip.address, call.key.owner()));
    }
    const auto addresses = undo::addresses_of(record);
    return std::find(addresses.begin(), addresses.end(), ip.address.address()) != addresses.end();
  });
}

/// Without the addresses that later plugins have put on the interface, and into the result, after
/// ADD had masqueraded those that it knew. All, if nothing is known of that ADD: it may have been
/// the reference's.
Result with_announced_addresses(const Call& call, Host& host, Result result, MasqBackend backend) {
  const Undo kind = backend == MasqBackend::nftables ? undo_nft({}) : undo_iptables_masquerade({});
  const auto records = host.attachments().list_records_of(call.key, kind.type);
  std::vector<IpConfig> announced;
  for (const IpConfig& ip : result.ips) {
    if (is_announced(call, ip, backend, records)) announced.push_back(ip);
  }
  if (!announced.empty()) result.ips = std::move(announced);
  return result;
}

}  // namespace

MasqBackend masq_backend(const std::string& name) {
  if (name == "none") return MasqBackend::none;
  return name == "iptables" ? MasqBackend::iptables : MasqBackend::nftables;
}

void add_masquerade(const Call& call, Host& host, const Result& result, MasqBackend backend,
                    const std::vector<net::NftElement>& more) {
  const auto elements = elements_of(call, result, backend, more);
  if (!elements.empty()) add_rules(call, host, elements, {});
  if (backend != MasqBackend::iptables || result.ips.empty()) return;
  const net::IptablesMasquerade masquerade = iptables_of(call, result);
  host.undo().announce(undo_iptables_masquerade(masquerade));
  net::add_iptables_masquerade(host.nft(), masquerade, call.deadline);
}

void check_masquerade(const Call& call, Host& host, const Result& of_list, MasqBackend backend,
                      const std::vector<net::NftElement>& more) {
  const Result result = with_own_addresses(of_list, call.key.if_name);
  try {
    require_masquerade(call, host, result, backend, more);
  } catch (const Error&) {
    const Result announced = with_announced_addresses(call, host, result, backend);
    if (announced.ips.size() == result.ips.size()) throw;
    require_masquerade(call, host, announced, backend, more);
  }
}

/// The reference names its chains by a hash of network and container. Its nftables rules are found
/// by their comment and, where the interface is unknown, by address.
void sweep_masquerade(const Call& call, Host& host, const std::vector<IpNet>& addresses) {
  net::ReferenceMasquerade reference{call.key, {}, host.container_netns() == nullptr};
  for (const IpNet& net : addresses) reference.addresses.push_back(net.address());
  net::remove_reference_masquerade(host.nft(), reference, call.deadline);
}

}  // namespace unicni
