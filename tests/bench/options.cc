#include "options.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

#include "case.h"

namespace unicni::bench {

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  if (const char* stage = std::getenv("UNICNI_STAGE")) options.stage = stage;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto value = [&]() -> const std::string& {
      if (i + 1 == arguments.size()) throw std::invalid_argument(arguments[i] + " needs a value");
      return arguments[++i];
    };
    if (arguments[i] == "--stage") {
      options.stage = value();
    } else if (arguments[i] == "--reference") {
      options.reference = value();
    } else if (arguments[i] == "--check") {
      options.check = true;
    } else if (arguments[i] == "--case") {
      const std::string& name = value();
      if (std::none_of(std::begin(kCases), std::end(kCases),
                       [&](const Case& each) { return name == each.name; })) {
        throw std::invalid_argument("--case " + name + ": there is no such case");
      }
      options.cases.push_back(name);
    } else if (arguments[i] == "--runs") {
      const std::string& text = value();
      const int runs = text.size() <= 4 ? std::atoi(text.c_str()) : 0;
      if (runs < 1 || runs > 5000)
        throw std::invalid_argument("--runs " + text + ": allowed is 1 to 5000");
      options.runs = static_cast<unsigned>(runs);
    } else {
      throw std::invalid_argument("unknown argument " + arguments[i]);
    }
  }
  return options;
}

std::string usage() {
  std::string text =
      "usage: unicni_bench [--stage DIR] [--reference DIR] [--runs N] [--case NAME]... [--check]\n"
      "  --stage DIR      an installed tree (default: the environment's UNICNI_STAGE)\n"
      "  --reference DIR  the reference plugins (default: /usr/lib/cni)\n"
      "  --runs N         samples of each candidate, 1 to 5000 (default: 100)\n"
      "  --case NAME      only this; may be repeated\n"
      "  --check          exit 1 if a goal is missed\n"
      "cases:\n";
  for (const Case& each : kCases) {
    std::string name = each.name;
    name.resize(std::max<std::size_t>(name.size(), 10), ' ');
    text += "  " + name + ' ' + each.about + '\n';
  }
  return text + "example: sudo unicni_bench --stage /usr/local --runs 200 --check\n";
}

}  // namespace unicni::bench
