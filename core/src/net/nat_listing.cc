#include "net/nat_listing.h"

#include <algorithm>

namespace unicni::net {
namespace {

constexpr std::string_view kAppend = "-A ";

/// Words as iptables-restore(8) splits a line: double quotes hold a word together, a backslash
/// takes the next character as it is.
std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool open = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && i + 1 < line.size()) {
      word += line[++i];
      open = true;
    } else if (c == '"') {
      quoted = !quoted;
      open = true;
    } else if (c == ' ' && !quoted) {
      if (open) words.push_back(std::move(word));
      word.clear();
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) words.push_back(std::move(word));
  return words;
}

std::string_view until(std::string_view text, char end) { return text.substr(0, text.find(end)); }

}  // namespace

NatListing::NatListing(std::string_view saved) {
  while (!saved.empty()) {
    const std::string_view line = until(saved, '\n');
    saved.remove_prefix(std::min(saved.size(), line.size() + 1));
    if (line.starts_with(':')) chains_.emplace_back(until(line.substr(1), ' '));
    if (line.starts_with(kAppend)) add_rule(line);
  }
}

bool NatListing::has_chain(std::string_view name) const {
  return std::ranges::find(chains_, name) != chains_.end();
}

void NatListing::add_rule(std::string_view line) {
  line.remove_prefix(kAppend.size());
  NatRule rule;
  rule.chain = until(line, ' ');
  line.remove_prefix(std::min(line.size(), rule.chain.size() + 1));
  rule.text = line;
  const std::vector<std::string> words = split(line);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool negated = i > 0 && words[i - 1] == "!";
    const std::string& value = words[i + 1];
    if (words[i] == "-s" && !negated) {
      rule.source = IpNet::parse(value);
    } else if (words[i] == "-d") {
      (negated ? rule.not_destination : rule.destination) = IpNet::parse(value);
    } else if (words[i] == "-j" || words[i] == "-g") {
      rule.target = value;
    } else {
      continue;
    }
    ++i;  // a value is no option, whatever it looks like
  }
  rules_.push_back(std::move(rule));
}

}  // namespace unicni::net
