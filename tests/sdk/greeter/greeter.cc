// greeter: adds a search domain to the result, so that who looks up "hello" asks for
// hello.<domain>.
#include <algorithm>
#include <string>

#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/options.h"

namespace greeter {

namespace {

struct Options {
  std::string domain;
};

constexpr unicni::Option kRows[] = {
    unicni::option<&Options::domain>("domain", "search domain to add").with_default("example.net"),
};

constinit const unicni::OptionTable kOptions = unicni::option_table<Options>(kRows);

class Greeter : public unicni::ChainedModule {
 public:
  void del(const unicni::Call&, unicni::Host&) override {}
  void check(const unicni::Call& call, unicni::Host&) override {
    const auto& search = call.prev_result->dns.search;
    const std::string& domain = call.options<Options>().domain;
    if (std::find(search.begin(), search.end(), domain) != search.end()) return;
    throw unicni::Error(unicni::Code::internal, "search domain " + domain + " is gone", {});
  }

 protected:
  void apply(const unicni::Call& call, unicni::Host&, unicni::Result& result) override {
    result.dns.search.push_back(call.options<Options>().domain);
  }
};

}  // namespace

}  // namespace greeter

UNICNI_MODULE(greeter, chained, greeter::Greeter, .options = &greeter::kOptions);
