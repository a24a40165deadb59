#include "undo/kinds.h"

#include <algorithm>
#include <array>

namespace unicni::undo {
namespace {

constexpr std::array kAll = {
    &kVethKind,
    &kContainerLinkKind,
    &kHostLinkKind,
    &kQdiscKind,
    &kSysctlKind,
    &kLinkSettingsKind,
    &kRuleKind,
    &kAddedRouteKind,
    &kRemovedRouteKind,
    &kVrfKind,
    &kVrfPortKind,
    &kLostAddressKind,
    &kNftKind,
    &kNftNetworkKind,
    &kNftConditionKind,
    &kFlowsKind,
    &kPortFlagKind,
    &kLocalnetKind,
    &kLoopbackRouteKind,
    &kBridgeKind,
    &kGatewayVethKind,
    &kSharedAddressKind,
    &kFileKind,
    &kReservationKind,
    &kDelegateKind,
    &kLeaseKind,
    &kForwardGateKind,
    &kDeviceKind,
    &kIptablesMasqueradeKind,
    &kIptablesFirewallKind,
    &kIptablesPortsKind,
    &kFirewalldSourceKind,
};

}  // namespace

std::span<const UndoKind* const> kinds() { return kAll; }

/// A record of a later version may mean something else by fields of the same names, so it counts as
/// unknown.
const UndoKind* find_kind(const Undo& record) {
  const auto kind = std::find_if(kAll.begin(), kAll.end(),
                                 [&](const UndoKind* each) { return each->type == record.type; });
  return kind == kAll.end() || record.version > kKnownVersion ? nullptr : *kind;
}

}  // namespace unicni::undo
