// Packets between namespaces, without programs of their own.
#pragma once

#include <string>

namespace unicni::test {

/// Sends one UDP datagram from one namespace to an address and port in another; returns the source
/// address that the receiver saw, "" if nothing came within two seconds.
std::string source_seen(int from_netns, int to_netns, const std::string& to_address, int port);

/// Whether one ping is answered within two seconds.
bool pings(int netns, const std::string& address);

/// How many milliseconds the first UDP datagram to that address takes, sent over and over until one
/// arrives; nothing within two seconds: 2000.
double first_packet_ms(int from_netns, int to_netns, const std::string& to_address, int port);

/// Bits a second that one TCP connection carries when its first second is over, headers included
/// (those of full packets at MTU 1500), measured for two seconds; 0: no connection.
double tcp_rate(int from_netns, int to_netns, const std::string& to_address, int port);

}  // namespace unicni::test
