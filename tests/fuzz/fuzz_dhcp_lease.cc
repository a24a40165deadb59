// A lease file: one whose line is whole is read, and written again says the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lease.h"
#include "unicni/line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unicni::dhcp;
  std::string text(reinterpret_cast<const char*>(data), size);
  parse_lease(text);
  // With its right checksum, so that what is behind that is reached.
  text = text.substr(0, text.find('\n'));
  const auto lease = parse_lease(unicni::LineWriter(text.substr(0, text.rfind(" #"))).finish());
  if (!lease) return 0;
  const std::string printed = print_lease(*lease);
  const auto again = parse_lease(printed);
  if (!again || print_lease(*again) != printed) std::abort();
  return 0;
}
