// tuning's allow-list: an administrator's expression and the key that a foreign configuration sets,
// with NUL between them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "expression.h"
#include "unicni/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\0'), text.size());
  try {
    const unicni::tuning::Expression expression(text.substr(0, end));
    static_cast<void>(expression.is_in(text.substr(std::min(end + 1, text.size()))));
  } catch (const unicni::Error& refused) {
    if (!refused.is(unicni::Code::invalid_config) || refused.msg().empty()) std::abort();
  }
  return 0;
}
