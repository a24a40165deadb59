// All kinds of undo records.
#pragma once

#include <span>

#include "undo/kind.h"

namespace unicni::undo {

extern const UndoKind kVethKind;
extern const UndoKind kContainerLinkKind;
extern const UndoKind kHostLinkKind;
extern const UndoKind kQdiscKind;
extern const UndoKind kSysctlKind;
extern const UndoKind kLinkSettingsKind;
extern const UndoKind kRuleKind;
extern const UndoKind kAddedRouteKind;
extern const UndoKind kRemovedRouteKind;
extern const UndoKind kVrfKind;
extern const UndoKind kVrfPortKind;
extern const UndoKind kLostAddressKind;
extern const UndoKind kNftKind;
extern const UndoKind kNftNetworkKind;
extern const UndoKind kNftConditionKind;
extern const UndoKind kFlowsKind;
extern const UndoKind kPortFlagKind;
extern const UndoKind kLocalnetKind;
extern const UndoKind kLoopbackRouteKind;
extern const UndoKind kBridgeKind;
extern const UndoKind kGatewayVethKind;
extern const UndoKind kSharedAddressKind;
extern const UndoKind kFileKind;
extern const UndoKind kReservationKind;
extern const UndoKind kDelegateKind;
extern const UndoKind kLeaseKind;
extern const UndoKind kForwardGateKind;
extern const UndoKind kDeviceKind;
extern const UndoKind kIptablesMasqueradeKind;
extern const UndoKind kIptablesFirewallKind;
extern const UndoKind kIptablesPortsKind;
extern const UndoKind kFirewalldSourceKind;

std::span<const UndoKind* const> kinds();
/// The kind of a record; nullptr if this program doesn't know it, or not in that version.
const UndoKind* find_kind(const Undo& record);

}  // namespace unicni::undo
