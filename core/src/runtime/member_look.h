// What an ADD would find wrong of a plugin of a list, looked for before anything is attached.
#pragma once

#include "chain/request.h"
#include "protocol/netconf.h"
#include "runtime/list_call.h"
#include "unicni/errors.h"

namespace unicni::runtime {

/// Looks at the members of one list. What ADD would throw goes to `errors`, what it would warn of
/// to the log.
class MemberLook {
 public:
  /// `call` outlives this; its verb is ADD.
  MemberLook(const ListCall& call, Errors& errors) : call_(call), errors_(errors) {}

  /// Whether the plugin and its IPAM are there and support the version, and whether the options of
  /// our modules have values that they would take. Of a list the same of its plugins, inline or the
  /// chain's, and of a plugin that delegates of its delegate.
  void look(const protocol::Netconf& member);

 private:
  void look_at_list(const protocol::Netconf& list);
  void look_at_plugin(const protocol::Netconf& member);
  void look_at_delegate(const protocol::Netconf& member);
  void require_version(const protocol::Netconf& member) const;
  [[nodiscard]] chain::Request request_of(const protocol::Netconf& netconf) const;

  const ListCall& call_;
  Errors& errors_;
};

}  // namespace unicni::runtime
