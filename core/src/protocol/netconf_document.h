// What a Netconf holds.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "protocol/netconf.h"

namespace unicni::protocol {

using Tree = std::shared_ptr<const nlohmann::ordered_json>;

struct Netconf::Document {
  std::string text;
  Tree tree;     ///< what json() shows
  Tree request;  ///< the document as it arrived: its prevResult (unless replaced) and its GC lists
                 ///< count
  std::string name;
  std::string version;
  std::string type;
  std::string ipam_type;
  bool prev_replaced = false;
  std::optional<Result> prev;  ///< if prev_replaced

  /// Fills the four strings from `tree`. Error(decode) for a wrong kind; `what` names the document.
  void read_fields(std::string_view what);
};

inline constexpr const char* kValidAttachments = "cni.dev/valid-attachments";  // spec after 1.1.0
inline constexpr const char* kAttachments = "cni.dev/attachments";             // spec 1.1.0

}  // namespace unicni::protocol
