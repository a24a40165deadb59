// What a verb is called with. Built by core from the environment and stdin, constant for the
// module.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/result.h"
#include "unicni/valid_attachments.h"

namespace unicni {

/// Bits, so that an option can say which verbs use it.
enum class Command : unsigned { add = 1, del = 2, check = 4, gc = 8, status = 16, version = 32 };

struct Call {
  Command command = Command::add;
  std::string network;       ///< "name" of the network configuration, validated
  std::string spec_version;  ///< "cniVersion", one of the supported strings
  std::string type;          ///< the type that this module is serving
  std::string container_id;  ///< CNI_CONTAINERID, validated; empty for GC and STATUS
  std::string netns;         ///< CNI_NETNS as given; may be empty on DEL
  std::string if_name;       ///< CNI_IFNAME, validated; empty for GC and STATUS
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
  /// "network/container/ifname": names the attachment in rule comments, link aliases and logs.
  [[nodiscard]] std::string owner() const { return network + '/' + container_id + '/' + if_name; }
  /// owner() as IFLA_IFALIAS of links on the host, which holds 255 bytes: a longer one as two
  /// hashes and its end.
  [[nodiscard]] std::string alias() const;
  /// Whether a link's alias is one that version 0.1.0 may have given it: long owners were cut, so
  /// it may be another attachment's with a name that begins the same.
  [[nodiscard]] bool may_be_cut_alias(const std::string& alias) const;
};

/// "ADD", "DEL" … as in CNI_COMMAND.
const char* command_name(Command command);

}  // namespace unicni
