// "file": a file with this content, such as flannel's. Another program that has written it since
// keeps it.
#include "unicni/undo/file.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/sys/file.h"

namespace unicni {

Undo undo_file(const std::string& path, const std::string& content) {
  return Undo{"file", 1, false, {{"path", path}, {"content", content}}};
}

bool is_file_of_sibling(Attachments& attachments, const AttachmentKey& key,
                        const std::string& path) {
  const auto records = attachments.list_records_of_siblings(key, "file");
  return std::any_of(records.begin(), records.end(), [&](const auto& each) {
    return undo::optional_field(each.record, "path") == path;
  });
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// The reference writes and reads these files, too, with or without a line end.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Found find(const Undo& record, Undoing&) {
  const auto content = sys::read_file(field(record, "path"));
  if (!content) return Found::absent;
  const std::string_view found = trimmed(*content);
  // Empty: made, but killed before it was written.
  const bool is_ours = found.empty() || found == trimmed(field(record, "content"));
  return is_ours ? Found::ours : Found::others;
}

void undo_one(const Undo& record, Undoing& undoing) {
  if (find(record, undoing) == Found::ours) sys::remove_file(field(record, "path"));
}

std::string describe(const Undo& record) { return fmt::format("file {}", field(record, "path")); }

}  // namespace

const UndoKind kFileKind = {"file", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
