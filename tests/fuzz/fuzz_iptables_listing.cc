// What iptables-save prints of rules that anybody wrote.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "netfilter/iptables/listing.h"
#include "unicni/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unicni::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const IptablesListing listing(text);
  for (const IptablesRule& rule : listing.rules()) {
    if (!listing.has(rule.chain, rule.words)) std::abort();
    if (!rule.target.empty() && listing.count_jumps(rule.chain, rule.target) == 0) std::abort();
    static_cast<void>(rule.value_of("-s"));
    static_cast<void>(listing.has_chain(rule.target));
    // What we would write for these words must be read as the same words.
    try {
      const IptablesListing again(iptables_line("-A", rule.chain, rule.words));
      if (again.rules().size() != 1 || again.rules()[0].words != rule.words) std::abort();
    } catch (const unicni::Error&) {
    }
  }
  return 0;
}
