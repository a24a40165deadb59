// What portmap's backend "iptables" is made of, for those who make it and those who take it away.
#pragma once

namespace unicni::net {

inline constexpr const char* kNatTable = "nat";
inline constexpr const char* kPortsDnat = "CNI-HOSTPORT-DNAT";
inline constexpr const char* kPortsSetMark = "CNI-HOSTPORT-SETMARK";
inline constexpr const char* kPortsMasquerade = "CNI-HOSTPORT-MASQ";
inline constexpr const char* kOldPortsSnat = "CNI-HOSTPORT-SNAT";  ///< before 0.7 of the reference
inline constexpr const char* kPostroutingBase = "POSTROUTING";
/// Where packets come to CNI-HOSTPORT-DNAT from.
inline constexpr const char* kDnatBases[] = {"PREROUTING", "OUTPUT"};

}  // namespace unicni::net
