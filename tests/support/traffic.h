// Packets between namespaces, without programs of their own.
#pragma once

#include <string>

namespace unicni::test {

/// Sends one UDP datagram from one namespace to an address and port in another; returns the source
/// address that the receiver saw, "" if nothing came within two seconds.
std::string source_seen(int from_netns, int to_netns, const std::string& to_address, int port);

/// Whether one ping is answered within two seconds.
bool pings(int netns, const std::string& address);

}  // namespace unicni::test
