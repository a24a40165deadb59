// Packets between namespaces, without programs of their own.
#pragma once

#include <string>

namespace unicni::test {

/// Sends one UDP datagram from one namespace to an address and port in another; returns the source
/// address that the receiver saw, "" if nothing came within two seconds.
std::string source_seen(int from_netns, int to_netns, const std::string& to_address, int port);

/// Sends UDP datagrams from one port of a namespace, as one connection.
class UdpSender {
 public:
  UdpSender(int netns, const std::string& to_address, int port);
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;
  ~UdpSender();
  /// Errors of earlier ones (nobody listens) are forgotten.
  void send();

 private:
  int fd_ = -1;
};

/// Takes UDP datagrams at a port of all addresses of a namespace, both families.
class UdpReceiver {
 public:
  UdpReceiver(int netns, int port);
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;
  ~UdpReceiver();
  /// Where the next one comes from; "" if none does within two seconds.
  std::string source_of_next();

 private:
  int fd_ = -1;
};

/// Whether one ping is answered within two seconds.
bool pings(int netns, const std::string& address);

/// How many milliseconds the first UDP datagram to that address takes, sent over and over until one
/// arrives; nothing within two seconds: 2000.
double first_packet_ms(int from_netns, int to_netns, const std::string& to_address, int port);

/// Bits a second that arrive at `link` of `to_netns`, Ethernet headers included, while 48 Mbit/s of
/// UDP are sent there: measured for two seconds when the first one is over. By the link's own
/// counters, so that it doesn't depend on when a reader gets the processor.
double steady_rate(int from_netns, int to_netns, const std::string& to_address, int port,
                   const std::string& link);

}  // namespace unicni::test
