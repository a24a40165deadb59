#include "module/guard.h"

#include <fmt/core.h>

namespace unicni::module {
namespace {

Error foreign(std::string_view module, std::string text) {
  return Error(Code::internal, std::move(text)).in_step(module);
}

}  // namespace

Error foreign_exception(std::string_view module, std::string_view doing) {
  try {
    throw;
  } catch (const Error& error) {
    // New texts, and never a subclass of the module's own. 0 is no code of an error.
    const unsigned code = error.code() == 0 ? static_cast<unsigned>(Code::internal) : error.code();
    return Error(code,
                 error.msg().empty() ? fmt::format("{} threw an Error without text", doing)
                                     : error.msg(),
                 error.details())
        .in_step(module);
  } catch (const std::exception& error) {
    const auto* what = error.what();
    return foreign(module, what == nullptr || *what == '\0'
                               ? fmt::format("{} threw an exception without text", doing)
                               : std::string(what));
  } catch (const char* text) {
    return foreign(module, fmt::format("{} threw something that is no std::exception: {}", doing,
                                       text == nullptr ? "nullptr" : text));
  } catch (const std::string& text) {
    return foreign(module,
                   fmt::format("{} threw something that is no std::exception: {}", doing, text));
  } catch (...) {
    return foreign(module, fmt::format("{} threw something that is no std::exception", doing));
  }
}

}  // namespace unicni::module
