// Packets by hand, for protocols that the machine's own kernel doesn't speak.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace unicni::test {

/// A router advertisement to all nodes on `link` of a namespace: "I am a router for 1800 s, and
/// `prefix` (a /64) is on-link, take an address of it". False: the link has no address to send from
/// yet, as its own is still tentative.
bool send_router_advertisement(int netns, const std::string& link, const std::string& prefix);

/// An SCTP packet with an INIT chunk, as the first of an association.
void send_sctp_init(int netns, const std::string& to, int to_port, int from_port);

struct SctpPacket {
  std::string from;  ///< address
  int from_port = 0;
  int to_port = 0;
  int chunk = 0;       ///< type of the first chunk; INIT is 1
  bool whole = false;  ///< its checksum is right
};

/// Hears the SCTP packets that reach a namespace.
class SctpListener {
 public:
  SctpListener(int netns, bool v6);
  SctpListener(const SctpListener&) = delete;
  SctpListener& operator=(const SctpListener&) = delete;
  ~SctpListener();
  /// The next one within `patience`.
  [[nodiscard]] std::optional<SctpPacket> next(std::chrono::milliseconds patience) const;

 private:
  int fd_;
  bool v6_;
};

}  // namespace unicni::test
