// What a verb is called with. Built by core from the environment and stdin, constant for the
// module.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/result.h"
#include "unicni/valid_attachments.h"

namespace unicni {

/// Bits, so that an option can say which verbs use it.
enum class Command : unsigned { add = 1, del = 2, check = 4, gc = 8, status = 16, version = 32 };

struct Call {
  Command command = Command::add;
  /// All validated; container and interface are empty for GC and STATUS.
  AttachmentKey key;
  std::string spec_version;  ///< "cniVersion", one of the supported strings
  std::string type;          ///< the type that this module is serving
  std::string netns;         ///< CNI_NETNS as given; may be empty on DEL
  std::vector<std::pair<std::string, std::string>>
      args;                           ///< CNI_ARGS; only read where a module has such options
  std::vector<std::string> cni_path;  ///< CNI_PATH, split
  std::size_t step = 0;               ///< index of this step in the chain
  Deadline deadline{};                ///< every wait ends by then
  std::string ipam_type;              ///< "ipam.type"; empty: no IPAM (layer 2)
  std::optional<Result> prev_result;
  /// GC: what is still valid. nullopt: the runtime gave no list, and nothing may be removed.
  std::optional<ValidAttachments> valid_attachments;
  std::vector<std::pair<std::string, std::string>>
      trace;  ///< TRACEPARENT, TRACESTATE, BAGGAGE if set
  /// This step's configuration as JSON text: what a delegate reads on stdin, but for GC's lists.
  std::string request;
  const void* parsed_options = nullptr;  ///< the struct of the module's option table; owned by core

  /// This module's options. T must be the struct of its option table.
  template <class T>
  [[nodiscard]] const T& options() const {
    return *static_cast<const T*>(parsed_options);
  }
};

/// "ADD", "DEL" … as in CNI_COMMAND.
const char* command_name(Command command);

}  // namespace unicni
