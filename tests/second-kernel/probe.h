// Ethernet frames by hand: what goes in with which VLAN tag, and what comes out with which.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unicni::test {

/// A tag as it is on the wire; nullopt: none. VLAN 0 is a tag that has a priority only.
using Tag = std::optional<std::uint16_t>;
inline constexpr Tag kUntagged = std::nullopt;

/// "untagged", "tagged 7"
std::string text_of(const Tag& tag);

/// A raw socket on one link, for probe frames: broadcasts of an experimental EtherType (IEEE
/// 802.1, 0x88b5) with a short text. Nothing else is seen, and none of what the socket itself sent.
class Probe {
 public:
  Probe(int netns, const std::string& link);
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe();

  /// Throws std::runtime_error. `to`: a MAC; empty: broadcast.
  void send(const Tag& tag, const std::string& text, const std::string& to = "") const;
  /// All frames until one with the text `last` has come, without that one; it must come within five
  /// seconds, else the test fails. Frames on the same way keep their order, so what was sent before
  /// `last` and isn't here never came. "text, tagged 7", in order of arrival.
  [[nodiscard]] std::vector<std::string> seen_until(const std::string& last) const;

 private:
  int fd_ = -1;
  int index_ = 0;
};

}  // namespace unicni::test
