// What names an attachment: one container's place in one network.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "unicni/result.h"

namespace unicni {

/// CNI spec 1.1.0, section 2: the triple that no two attachments of a host share.
struct AttachmentKey {
  std::string network;       ///< "name" of the network configuration
  std::string container_id;  ///< CNI_CONTAINERID
  std::string if_name;       ///< CNI_IFNAME
  friend bool operator==(const AttachmentKey&, const AttachmentKey&) = default;

  /// What GC's list of valid attachments has of it.
  [[nodiscard]] Attachment of_network() const { return {container_id, if_name}; }
  /// "network/container/ifname": names it in logs, link aliases and rule comments.
  [[nodiscard]] std::string owner() const { return network + '/' + container_id + '/' + if_name; }
  /// owner() as IFLA_IFALIAS of links on the host, which holds 255 bytes: a longer one as two
  /// hashes and its end.
  [[nodiscard]] std::string alias() const;
  /// owner() as the comment of an nftables element, which holds 128 bytes: a longer one as a hash
  /// and its end.
  [[nodiscard]] std::string comment() const;
  /// Whether a link's alias is one that version 0.1.0 may have given it: long owners were cut, so
  /// it may be another attachment's with a name that begins the same.
  [[nodiscard]] bool may_be_cut_alias(const std::string& alias) const;

  /// The key of an owner() text; nullopt if it is none, or a shortened one.
  static std::optional<AttachmentKey> parse(std::string_view owner);
};

}  // namespace unicni
