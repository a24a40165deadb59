// Results and errors of foreign plugins: stdout of a delegate.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/reply.h"
#include "protocol/result_parse.h"
#include "protocol/result_print.h"
#include "unicni/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unicni::protocol;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const unicni::Error error = parse_error(text, "", {"exit status 1"});
  if (print_error(error, "1.1.0").empty()) std::abort();
  print_version(text);
  try {
    const unicni::Result result = parse_result(text, kNewest);
    for (const std::string_view version : kSpecVersions) {
      try {
        const std::string printed = print_result(result, *find_version(version));
        // What we print we must understand, and it must say the same again.
        const unicni::Result again = parse_result(printed, *find_version(version));
        if (print_result(again, *find_version(version)) != printed) std::abort();
      } catch (const unicni::Error& refused) {
        // 0.1.0 and 0.2.0 have no result without an address; everything else must print.
        if (result_family(*find_version(version)) != ResultFamily::ip4_ip6) std::abort();
      }
    }
  } catch (const unicni::Error&) {
  }
  return 0;
}
