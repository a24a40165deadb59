// What a DHCP lease is by now, for the question whether its attachment still has the address that
// an element of it is about.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "journal/entry.h"
#include "unicni/ip.h"
#include "unicni/line.h"
#include "unicni/netfilter/element.h"
#include "unicni/undo.h"

namespace unicni::undo {

/// As the lease's file says it, which ADD and its journal can't know: a renewal gives another
/// address, and a server takes one back.
class LeaseNow {
 public:
  /// nullopt: `record` is none of a lease, or the file is gone or damaged.
  static std::optional<LeaseNow> find(const Undo& record);
  /// The lease of the latest of these steps that has one.
  static std::optional<LeaseNow> find(const std::vector<journal::RecordedStep>& steps);

  /// Whether `element` of the lease's attachment is about an address of the container that the
  /// lease has no more, so that it may be somebody else's by now.
  [[nodiscard]] bool has_given_up(const net::NftElement& element) const;
  /// The same of the address that a port of the host leads to.
  [[nodiscard]] bool leads_to_given_up(const net::NftElement& port) const;

 private:
  explicit LeaseNow(Line line) : line_(std::move(line)) {}
  [[nodiscard]] bool has_no_more(const std::optional<IpAddress>& address) const;

  Line line_;
};

}  // namespace unicni::undo
