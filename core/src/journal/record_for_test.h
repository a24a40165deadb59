// Undo records for tests of the file, which knows no kinds.
#pragma once

#include <string>
#include <utility>

#include "journal/journal.h"
#include "unicni/attachment_key.h"
#include "unicni/undo.h"

namespace unicni::journal {

inline const AttachmentKey kKey{"net", "ctr", "eth0"};
inline const Place kPlace{"boot", "cookie:1"};

inline Undo record_of(std::string type, std::vector<std::pair<std::string, std::string>> fields) {
  return Undo{std::move(type), 1, false, std::move(fields)};
}
inline Undo undo_veth(const std::string& name, const std::string& alias) {
  return record_of("veth", {{"name", name}, {"alias", alias}});
}
inline Undo undo_file(const std::string& path, const std::string& content) {
  return record_of("file", {{"path", path}, {"content", content}});
}
inline Undo undo_sysctl(const std::string& key, const std::string& value) {
  return record_of("sysctl", {{"key", key}, {"value", value}});
}
inline Undo undo_bridge(const std::string& name) {
  Undo record = record_of("bridge", {{"name", name}});
  record.on_failure_only = true;
  return record;
}

}  // namespace unicni::journal
