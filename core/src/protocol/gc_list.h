// GC's list of attachments as it streams by: 32 MiB of JSON need no tree.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "unicni/error.h"
#include "unicni/valid_attachments.h"

namespace unicni::protocol {

/// What one of the keys "cni.dev/…" has. The events are those of a SAX parser for the key's value.
class GcList {
 public:
  explicit GcList(std::string_view key) : key_(key) {}

  void start();  ///< the key stands there, perhaps again: the last one counts
  /// The value is complete.
  [[nodiscard]] bool is_over() const { return given_ && ended_; }
  [[nodiscard]] std::size_t depth() const { return depth_; }

  void key(std::string_view name);
  void text(std::string_view value);
  void null() { other("null", true); }
  void other(const char* kind, bool is_null = false);  ///< a boolean or number
  void open(bool is_array);
  void close();

  [[nodiscard]] std::string_view name() const { return key_; }
  [[nodiscard]] bool given() const { return given_; }
  /// null and [] are an empty list. Error(decode) for anything but a list of objects with the
  /// strings containerID and ifname, in any letter case.
  [[nodiscard]] ValidAttachments take() const;
  void end();  ///< no more events: makes the set

 private:
  /// A member of an entry: exact spelling first, then any letter case, the last of equal ones.
  struct Field {
    std::string value;
    bool is_text = false;
    bool is_exact = false;
  };
  [[nodiscard]] Field* field(std::string_view name);
  void refuse_list(const char* kind);
  void end_entry();

  std::string key_;
  bool given_ = false;
  bool ended_ = false;
  std::size_t depth_ = 0;
  Field container_id_;
  Field if_name_;
  Field* current_ = nullptr;  // of the member whose value comes
  ValidAttachments::Builder builder_;
  ValidAttachments list_;
  std::optional<Error> problem_;
};

}  // namespace unicni::protocol
