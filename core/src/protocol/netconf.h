// The JSON half of a request. After parse() nobody looks into JSON but core/src/options.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/call.h"
#include "unicni/result.h"
#include "unicni/valid_attachments.h"

namespace unicni::protocol {

/// One plugin's configuration, or (type "unicni") a list. Immutable; cheap to move. The keys read
/// here are found in any letter case, exact spelling first, as in the reference; those that begin
/// with "cni.dev/" only exactly.
class Netconf {
 public:
  /// Error(decode): not one JSON object, nested deeper than kNestingLimit, not UTF-8, "name",
  /// "cniVersion", "type" or "ipam.type" not a string, "ipam", "dns", "args", "runtimeConfig" or
  /// "prevResult" not an object. null is absent.
  static Netconf parse(std::string text);
  Netconf(Netconf&&) noexcept;
  Netconf& operator=(Netconf&&) noexcept;
  ~Netconf();

  /// The document but for GC's lists; numbers keep their spelling.
  [[nodiscard]] const std::string& text() const;
  /// What a plugin that is a program reads: text(), and for GC the lists.
  [[nodiscard]] std::string text_for(Command command) const;
  /// What options are parsed from: without the lists of GC. In a copy made by members() or
  /// with_prev_result() "prevResult" may differ from that of text(): ask prev_result().
  [[nodiscard]] const nlohmann::ordered_json& json() const;
  [[nodiscard]] const std::string& name() const;         ///< "" if absent
  [[nodiscard]] const std::string& cni_version() const;  ///< "0.1.0" if absent or empty
  [[nodiscard]] const std::string& type() const;         ///< "" if absent
  [[nodiscard]] const std::string& ipam_type() const;    ///< "" if absent
  /// "ipam" has keys but no "type", so nobody will read them.
  [[nodiscard]] bool has_untyped_ipam() const;
  /// "ipam.dataDir" of host-local; "" if absent or no string.
  [[nodiscard]] std::string ipam_data_dir() const;
  /// Result in prevResult; its version is its own, else the configuration's, whose layout need not
  /// be the same (PREV-01). Error(decode) if it is no result; Error(incompatible_version)
  /// if the configuration's version is unknown.
  [[nodiscard]] std::optional<Result> prev_result() const;
  /// cni.dev/valid-attachments, else cni.dev/attachments; null and [] are an empty list; absent:
  /// nullopt. Error(decode) for anything but a list of objects with the strings containerID and
  /// ifname.
  [[nodiscard]] std::optional<ValidAttachments> valid_attachments() const;

  /// Type "unicni": the members of "plugins", each with the outer name, cniVersion and those
  /// runtimeConfig keys that its "capabilities" declare; prevResult, runtimeConfig, capabilities
  /// and "cni.dev/" keys of its own are dropped (REQ-01 to REQ-05, CONF-18, CONF-20,
  /// CONF-21). GC lists are handed on, prevResult isn't: that is the chain's. Error(invalid_config)
  /// if there is no list, it is empty, a member is no object or has no usable type.
  /// A warning of each key that was dropped, and that its author meant for the plugin, is added to
  /// `warnings`.
  [[nodiscard]] std::vector<Netconf> members(std::vector<std::string>* warnings = nullptr) const;
  /// The same document again; its tree is shared, not parsed anew.
  [[nodiscard]] Netconf copy() const;
  /// A copy with this prevResult (nullptr: without one), as libcni would send it to the next
  /// plugin: in the configuration's version, with what that can't express dropped, also for
  /// prev_result() of the copy. Throws as print_result() does.
  [[nodiscard]] Netconf with_prev_result(const Result* result) const;

  /// "chain" of a list of type "unicni": the name of the chain whose plugins are the list's.
  /// nullopt: it has none. Error(invalid_config): it is no text that a network could be called, or
  /// stands beside "plugins".
  [[nodiscard]] std::optional<std::string> chain() const;
  /// A copy whose list of plugins is this JSON array, and which has no "chain".
  [[nodiscard]] Netconf with_plugins(std::string_view array) const;
  /// A copy with another text, which may not differ in what the runtime adds: prev_result() and
  /// the lists of GC stay those of this one. Throws as parse().
  [[nodiscard]] Netconf with_text(std::string text) const;

  /// The same text for the same plugin of a list, whatever the runtime adds: all keys in sorted
  /// order but prevResult, runtimeConfig, capabilities, cniVersion and those that begin with
  /// "cni.dev/". Two members of one type are told apart by it.
  [[nodiscard]] std::string identity() const;

  /// A copy whose GC lists are those of `other`, for a delegate's configuration.
  [[nodiscard]] Netconf with_attachments_of(const Netconf& other) const;

 private:
  struct Document;
  explicit Netconf(std::unique_ptr<Document> document);
  std::unique_ptr<Document> document_;
};

}  // namespace unicni::protocol
