// What a Netconf holds.
#pragma once

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/gc_list.h"
#include "protocol/netconf.h"

namespace unicni::protocol {

inline constexpr const char* kValidAttachments = "cni.dev/valid-attachments";  // spec after 1.1.0
inline constexpr const char* kAttachments = "cni.dev/attachments";             // spec 1.1.0

using Tree = std::shared_ptr<const nlohmann::ordered_json>;

/// The two lists of a GC, of which the first that is given counts.
struct GcLists {
  std::array<GcList, 2> lists = {GcList(kValidAttachments), GcList(kAttachments)};
  std::string document;  ///< in which they are written: what a plugin that is a program reads
};

struct Netconf::Document {
  std::string text;  ///< without the GC lists
  Tree tree;         ///< what json() shows
  Tree request;      ///< the document as it arrived: its prevResult counts unless replaced
  std::shared_ptr<const GcLists> lists;  ///< nullptr: none
  std::string name;
  std::string version;
  std::string type;
  std::string ipam_type;
  bool prev_replaced = false;
  std::optional<Result> prev;  ///< if prev_replaced

  /// Fills the four strings from `tree`. Error(decode) for a wrong kind; `what` names the document.
  void read_fields(std::string_view what);
};

/// Error(decode): the key of the document `what` has a value of the wrong kind.
[[noreturn]] void refuse(std::string_view what, std::string_view key,
                         const nlohmann::ordered_json& value, std::string_view expected);

}  // namespace unicni::protocol
