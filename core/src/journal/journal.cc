#include "journal/journal.h"

#include <fmt/core.h>

#include <utility>

#include "journal/entry.h"
#include "journal/entry_file.h"
#include "journal/folder.h"
#include "journal/trust.h"
#include "unicni/error.h"

namespace unicni::journal {

struct Journal::File {
  File(const std::string& in, const AttachmentKey& key, const Place& place, Access purpose)
      : folder(in), name(file_name(key)), path(in + '/' + name), access(purpose) {
    entry.key = key;
    entry.place = place;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    // A journal without steps tells nothing. It is removed while its lock is still held, so nobody
    // can have begun to write to it.
    if (handle && (disposable || (ours && entry.steps.empty()))) handle->remove();
  }

  void open(Deadline deadline);
  void load();
  bool open_former(Deadline deadline);
  [[nodiscard]] EntryFile::Mode mode() const {
    return access == Access::add ? EntryFile::Mode::read_write : EntryFile::Mode::read_only_will_do;
  }
  [[nodiscard]] bool is_unusable(const std::string& text) const;
  void write(std::string_view line);
  void start_afresh();
  void after_forgetting(const std::string& line);
  [[nodiscard]] Error cannot_write(Error error) const;

  const std::string folder;
  const std::string name;
  std::string path;  // in `folder`, or in its parent if an earlier version made it
  const Access access;
  std::optional<EntryFile> handle;  // nullopt: unusable
  Entry entry;                      // as it is on disk, if `ours`
  bool ours = false;                // the file is whole and has our key and place
  bool disposable = false;          // nobody can make use of the file
  bool of_future = false;           // a newer program's, in a form of its own
  bool torn = false;                // a part of a line stands behind `size`
  bool begun = false;               // begin_step() was called
  std::string complaint;
  std::size_t header_size = 0;
  std::size_t size = 0;
};

/// Opening and creating take turns until one of them succeeds: between the two another verb may
/// make the file, or remove it at its end.
void Journal::File::open(Deadline deadline) {
  for (;;) {
    path = folder + '/' + name;
    handle = EntryFile::open(path, mode(), deadline);
    if (handle) return load();
    if (open_former(deadline) || access == Access::look) return;
    const std::string header = header_line(entry);
    handle = EntryFile::create(folder, path, header, deadline);
    if (!handle) continue;
    ours = true;
    header_size = size = header.size();
    return;
  }
}

/// The entry where versions before 0.2 have it. One that isn't this attachment's of today stays
/// there, as it always did.
bool Journal::File::open_former(Deadline deadline) {
  if (distrust_folder(former_folder(folder))) return false;
  path = former_folder(folder) + '/' + name;
  handle = EntryFile::open(path, mode(), deadline);
  if (handle) {
    load();
    if (ours) return true;
    if (disposable || access == Access::add) handle->remove();
    disposable = false;
  }
  handle.reset();
  path = folder + '/' + name;
  return false;
}

/// Whether a file that is damaged is nobody's for sure: it has no header, or one of this
/// attachment and place.
bool Journal::File::is_unusable(const std::string& text) const {
  const auto header = read_entry(std::string_view(text).substr(0, text.find('\n') + 1));
  if (!header) return true;
  const Place& place = header->entry.place;
  return header->entry.key == entry.key &&
         (place == entry.place || place.boot_id != entry.place.boot_id);
}

/// Three answers: the entry is ours, it is somebody's who must not be disturbed (another host
/// namespace, a newer version), or nobody can make use of it.
void Journal::File::load() {
  const std::string text = handle->read();
  auto found = read_entry(text);
  const bool is_removal = access == Access::removal;
  if (!found && journal::is_of_future(text)) {
    of_future = true;
    return;
  }
  if (!found) {
    disposable = text.find('\n') == text.npos || (is_removal && is_unusable(text));
    return;
  }
  if (found->entry.key != entry.key) {
    throw Error(Code::internal,
                fmt::format("{} belongs to {}/{}/{}", path, found->entry.key.network,
                            found->entry.key.container_id, found->entry.key.if_name));
  }
  if (found->entry.place != entry.place) {
    // Another host namespace may be another host that shares the folder; another boot is over.
    disposable = is_removal && found->entry.place.boot_id != entry.place.boot_id;
    return;
  }
  ours = true;
  entry = std::move(found->entry);
  header_size = found->header_size;
  size = found->size;
  // A kill in the middle of a write leaves a line without its end. The change that it announces was
  // not made.
  torn = text.size() > size;
}

Error Journal::File::cannot_write(Error error) const {
  return error.in_step("journal").advise(fmt::format(
      "ADD writes down what it is going to change, so that it can be undone: {} must be a "
      "folder that root can write to, with space left",
      folder));
}

/// Appended only. A line is in force when its line feed is there, so no write can damage what was
/// written before.
void Journal::File::write(std::string_view line) {
  int error = torn ? handle->cut(size) : 0;
  if (error == 0) {
    torn = false;
    error = handle->append(size, line);
  }
  if (error != 0) throw cannot_write(system_error(error, "write " + path));
  size += line.size();
}

/// What the file holds is nobody's: of another boot, another host namespace, or damaged.
void Journal::File::start_afresh() {
  const int error = handle->cut(0);
  if (error != 0) throw cannot_write(system_error(error, "truncate " + path));
  disposable = true;
  torn = false;
  size = 0;
  const std::string header = header_line(entry);
  write(header);
  header_size = size;
  disposable = false;
  ours = true;
}

/// Nothing here throws: what could not be forgotten is undone once more by the next verb, which
/// finds it gone.
void Journal::File::after_forgetting(const std::string& line) {
  begun = false;
  if (!entry.steps.empty()) {
    try {
      write(line);
    } catch (const Error&) {
    }
    return;
  }
  if (access == Access::look) {
    handle->remove();
    handle.reset();
    return;
  }
  // DEL holds the name until it is done; the destructor removes it.
  if (access == Access::removal) return;
  // ADD may go on with a step; if it doesn't, the destructor removes the file.
  if (handle->cut(header_size) != 0) return;
  size = header_size;
  torn = false;
  entry.container_netns.clear();
  entry.netns_path.clear();
  entry.begun = 0;
}

Journal::Journal(std::unique_ptr<File> file) : file_(std::move(file)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

/// A journal that can't be used stops only an ADD, which would otherwise leave behind what nobody
/// knows of. All other verbs go on without it.
Journal Journal::open(const std::string& folder, const AttachmentKey& key, const Place& place,
                      Deadline deadline, Access access) {
  auto file = std::make_unique<File>(folder, key, place, access);
  try {
    if (const auto why = distrust_folder(folder)) throw Untrusted(*why);
    file->open(deadline);
  } catch (Untrusted& why) {
    why.in_step("journal");
    if (access == Access::add) throw;
    file->handle.reset();
    file->complaint = why.msg() + "; " + why.details();
  } catch (Error& error) {
    if (error.is(Code::try_again)) throw error.in_step("journal");
    if (access == Access::add) throw file->cannot_write(error);
    file->handle.reset();
  }
  return Journal(std::move(file));
}

const Entry* Journal::entry() const {
  return file_->ours && !file_->entry.steps.empty() ? &file_->entry : nullptr;
}

bool Journal::usable() const { return file_->handle.has_value(); }
const std::string& Journal::complaint() const { return file_->complaint; }

bool Journal::is_of_future() const { return file_->of_future; }

std::size_t Journal::begin_step(const std::string& type, const std::string& config,
                                const std::string& container_netns, const std::string& netns_path,
                                std::optional<std::size_t> ordinal, const std::string& args,
                                const Origin& origin) {
  if (!usable()) {
    throw file_->cannot_write(Error(Code::internal, file_->path + " is not open"));
  }
  if (is_of_future()) {
    throw Error(Code::internal, fmt::format("{} was written by a newer unicni", file_->path),
                "this attachment exists: let the newer unicni run its DEL before this ADD")
        .in_step("journal");
  }
  if (!file_->ours) file_->start_afresh();
  RecordedStep step{type,       config,       {},           {}, 0, ordinal, args, container_netns,
                    netns_path, origin.asked, origin.source};
  file_->write(step_line(file_->entry, step));
  file_->begun = true;
  return put_step(file_->entry, std::move(step)).id;
}

/// The lock was given away while a program ran. Only if our step is still the last one, and open,
/// may records be appended to it.
bool Journal::resume_step(std::size_t id, const std::string& type) {
  const Entry* found = entry();
  if (found == nullptr) return false;
  const RecordedStep& last = found->steps.back();
  if (last.id != id || last.type != type || !last.result.empty()) return false;
  file_->begun = true;
  return true;
}

void Journal::record(const Undo& undo) {
  if (!file_->begun) throw Error(Code::internal, "journal: a record outside of a step");
  file_->write(undo_line(undo));
  file_->entry.steps.back().undo.push_back(undo);
}

void Journal::record_delegate(const std::string& config) {
  if (!file_->begun) throw Error(Code::internal, "journal: a delegate outside of a step");
  file_->write(delegate_line(config));
  file_->entry.steps.back().delegate = config;
}

void Journal::end_step(const std::string& result) {
  if (!file_->begun) throw Error(Code::internal, "journal: a result outside of a step");
  file_->write(done_line(result));
  file_->entry.steps.back().result = result;
  file_->begun = false;
}

/// Records that stay are written anew as a step of their own before the old one is forgotten, in
/// one write. A kill leaves both or none.
void Journal::forget_step(std::size_t id, const std::string& type, const std::vector<Undo>& kept) {
  RecordedStep* step = usable() ? find_step(file_->entry, id) : nullptr;
  if (step == nullptr || step->type != type) return;
  if (!kept.empty() && kept.size() == step->undo.size()) return;
  std::string lines;
  if (!kept.empty()) {
    RecordedStep rest = *step;
    rest.undo = kept;
    lines = step_line(file_->entry, rest);
    if (!rest.delegate.empty()) lines += delegate_line(rest.delegate);
    for (const Undo& record : kept) lines += undo_line(record);
    if (!rest.result.empty()) lines += done_line(rest.result);
    put_step(file_->entry, std::move(rest));
  }
  std::erase_if(file_->entry.steps, [&](const RecordedStep& each) { return each.id == id; });
  file_->after_forgetting(lines + forget_line(id));
}

}  // namespace unicni::journal
