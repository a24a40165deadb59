// A journal file after a power cut, a full disk, or an attack.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "journal/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unicni::journal;
  const auto entry = parse_entry({reinterpret_cast<const char*>(data), size});
  if (!entry) return 0;
  const auto again = parse_entry(print_entry(*entry));
  if (!again || again->key != entry->key || again->steps.size() != entry->steps.size()) {
    std::abort();
  }
  return 0;
}
