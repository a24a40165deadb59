// A module that works, unless it is built in a wrong way (CMakeLists.txt).
#include <string>
#ifdef USES_FMT
#include <fmt/core.h>
#endif

#include "unicni/error.h"
#include "unicni/module.h"

namespace mistakes {

#ifdef CALLS_ELSEWHERE
std::string text_of_another_file();
#elif defined(USES_FMT)
std::string text_of_another_file() { return fmt::format("{}", "text"); }
#else
std::string text_of_another_file() { return "text"; }
#endif

namespace {

class Mistake final : public unicni::Module {
 public:
  unicni::Result add(const unicni::Call&, unicni::Host&) override {
    unicni::Result result;
    result.dns.domain = text_of_another_file();
    return result;
  }
  void del(const unicni::Call&, unicni::Host&) override {}
  void check(const unicni::Call& call, unicni::Host&) override {
    throw unicni::Error(unicni::Code::internal, "thrown by " + call.type);
  }
};

}  // namespace
}  // namespace mistakes

#define MISTAKE(symbol) UNICNI_MODULE(symbol, ipam, mistakes::Mistake)
MISTAKE(SYMBOL);
