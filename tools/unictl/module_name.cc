#include "module_name.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "module/registry.h"
#include "unicni/error.h"

namespace unicni::unictl {
namespace {

struct Kept {
  std::string_view name;
  const char* why;
};
constexpr const char* kTarget = "CMake keeps it for a target of its own";  // CMP0037
constexpr const char* kMacro = "it is a macro of the compiler or the C library";
constexpr std::array kAllKept = {
    Kept{"all", kTarget},
    Kept{"clean", kTarget},
    Kept{"depend", kTarget},
    Kept{"help", kTarget},
    Kept{"install", kTarget},
    Kept{"package", kTarget},
    Kept{"preinstall", kTarget},
    Kept{"test", kTarget},
    Kept{"errno", kMacro},
    Kept{"linux", kMacro},
    Kept{"unix", kMacro},
    Kept{"config",
         "config.cc has the module's options, so its work can't be in a file of that name"},
};

[[noreturn]] void refuse(std::string_view name, std::string details) {
  throw Error(Code::invalid_environment, fmt::format("\"{}\" can't be a module's name", name),
              std::move(details));
}

std::string with(std::string text, std::string_view place, std::string_view value) {
  for (auto at = text.find(place); at != text.npos; at = text.find(place, at + value.size()))
    text.replace(at, place.size(), value);
  return text;
}

}  // namespace

ModuleName::ModuleName(std::string type) : type_(std::move(type)) {
  const bool is_fine = module::valid_module_name(type_) &&
                       std::isdigit(static_cast<unsigned char>(type_.front())) == 0 &&
                       !type_.ends_with('-');
  if (!is_fine) {
    refuse(type_, "a letter, then lower-case letters, digits and '-' inside, at most 31 in all");
  }
  const auto kept = std::ranges::find(kAllKept, std::string_view(type_), &Kept::name);
  if (kept != kAllKept.end()) refuse(type_, fmt::format("{}: choose another", kept->why));
}

std::string ModuleName::snake() const {
  std::string text = type_;
  std::ranges::replace(text, '-', '_');
  return text;
}

std::string ModuleName::class_name() const {
  std::string text;
  bool starts = true;
  for (const char c : type_) {
    if (c != '-') text += starts ? static_cast<char>(std::toupper(c)) : c;
    starts = c == '-';
  }
  return text;
}

std::string ModuleName::fill(std::string text) const {
  text = with(std::move(text), "@name@", type_);
  text = with(std::move(text), "@snake@", snake());
  return with(std::move(text), "@Class@", class_name());
}

}  // namespace unicni::unictl
