// A journal whose lines are whole: each line of the input gets its right checksum, so that what
// comes behind the checksum is reached.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "journal/entry.h"
#include "unicni/line.h"

namespace {

std::string with_checksums(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines += unicni::LineWriter(text.substr(0, end)).finish();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void require(bool holds) {
  if (!holds) std::abort();
}

bool equal(const unicni::journal::RecordedStep& one, const unicni::journal::RecordedStep& other) {
  return one.type == other.type && one.config == other.config && one.undo == other.undo &&
         one.result == other.result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unicni::journal;
  const std::string text = with_checksums({reinterpret_cast<const char*>(data), size});
  const auto read = read_entry(text);
  const auto key = read_key(text);
  if (!read) return 0;
  require(key && *key == read->entry.key);
  require(read->header_size <= read->size && read->size <= text.size());
  const auto again = parse_entry(print_entry(read->entry));
  require(again && again->key == read->entry.key && again->place == read->entry.place);
  require(again->steps.size() == read->entry.steps.size());
  for (std::size_t i = 0; i < again->steps.size(); ++i) {
    require(equal(again->steps[i], read->entry.steps[i]));
  }
  // A torn last line is dropped, whatever the tear.
  for (const std::size_t torn : {std::size_t{1}, text.size() / 2}) {
    if (torn < text.size()) static_cast<void>(read_entry(text.substr(0, text.size() - torn)));
  }
  return 0;
}
