#include "options/warnings.h"

#include <fmt/core.h>

namespace unicni::options {

void Warnings::add_all(const Warnings& others) {
  for (const std::string& text : others.texts_) add([&] { return text; });
  untold_ += others.untold_;
}

std::vector<std::string> Warnings::take() {
  std::vector<std::string> texts = std::move(texts_);
  if (untold_ > 0) {
    texts.push_back(fmt::format("{} more keys or values are wrong in this configuration", untold_));
  }
  return texts;
}

}  // namespace unicni::options
