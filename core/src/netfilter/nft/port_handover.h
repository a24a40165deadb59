// A port of the host that several attachments of one container want: one serves, the others wait in
// their journals.
#pragma once

#include <string>
#include <vector>

#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Who takes over when `leaving` go, which are in the kernel: elements of siblings, each of its
/// attachment's whole place, with the claims of single addresses that they need. The wider place
/// comes first. Only attachments that stand get one: a sibling whose own DEL was faster has no
/// elements about its container any more. Nothing is read unless a place becomes free.
std::vector<NftElement> find_heirs(Nft& nft, const std::vector<NftElement>& leaving,
                                   NftRecords& records);

/// Of elements that journals name: takes out those of attachments that wait, so that what is left
/// may stand beside each other. The first of equal places serves.
void drop_waiting_ports(std::vector<const NftElement*>& elements);

/// Of elements that one step has announced and may not have added: takes out those about ports of
/// the host that others `held`, and those whose claim is not among them. The claim is announced
/// last, and nothing is added before all is announced: who has none died on the way.
void drop_unsure_ports(std::vector<NftElement>& announced, const std::vector<NftElement>& held);

}  // namespace unicni::net
