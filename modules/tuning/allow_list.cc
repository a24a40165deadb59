#include "allow_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "expression.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::tuning {

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    start = end + 1;
    line.erase(0, std::min(line.find_first_not_of(kBlanks), line.size()));
    line.erase(line.find_last_not_of(kBlanks) + 1);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

Expression expression(const std::string& line, Code code) {
  try {
    return Expression(line);
  } catch (const Error& error) {
    throw Error(code, fmt::format("{}: \"{}\" is no regular expression: {}", kAllowList, line,
                                  error.msg()));
  }
}

}  // namespace

void require_allowed(const std::vector<Sysctl>& sysctls, Code code) {
  if (sysctls.empty()) return;
  const auto text = sys::read_file(kAllowList);
  if (!text) return;
  const std::vector<std::string> lines = lines_of(*text);
  std::vector<Expression> expressions;
  for (const std::string& line : lines) expressions.push_back(expression(line, code));
  for (const Sysctl& sysctl : sysctls) {
    const bool allowed =
        std::any_of(expressions.begin(), expressions.end(),
                    [&](const Expression& each) { return each.is_in(sysctl.written); });
    if (allowed) continue;
    std::string all;
    for (const std::string& line : lines) all += (all.empty() ? "" : " ") + line;
    throw Error(
        code,
        fmt::format("Sysctl {} is not allowed. Only the following sysctls are allowed: [{}]",
                    sysctl.written, all),
        fmt::format("add the sysctl to {}, or remove it from the configuration", kAllowList));
  }
}

}  // namespace unicni::tuning
