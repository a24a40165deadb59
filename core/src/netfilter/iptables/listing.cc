#include "netfilter/iptables/listing.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"

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

/// Bare where iptables-restore(8) takes it so: it refuses "-t", which chooses a table, only then.
std::string quoted(const std::string& word) {
  constexpr std::string_view kBare = "_./:,!-=+%@";
  const bool bare = std::ranges::all_of(word, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kBare.find(c) != kBare.npos;
  });
  if (bare && !word.empty()) return word;
  std::string result = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string_view until(std::string_view text, char end) { return text.substr(0, text.find(end)); }

}  // namespace

/// Lines with a colon name chains, lines with -A are rules. The rest (comments, counters, COMMIT)
/// says nothing here.
IptablesListing::IptablesListing(std::string_view saved) {
  while (!saved.empty()) {
    const std::string_view line = until(saved, '\n');
    saved.remove_prefix(std::min(saved.size(), line.size() + 1));
    if (line.starts_with(':')) chains_.emplace_back(until(line.substr(1), ' '));
    if (line.starts_with(kAppend)) add_rule(line);
  }
}

bool IptablesListing::has_chain(std::string_view name) const {
  return std::ranges::find(chains_, name) != chains_.end();
}

std::string_view IptablesRule::value_of(std::string_view option) const {
  const auto found = std::ranges::find(words, option);
  if (found == words.end() || found + 1 == words.end()) return {};
  return *(found + 1);
}

/// Word by word, which is right for rules that were written in the way iptables-save prints them.
bool IptablesListing::has(std::string_view chain, const IptablesWords& words) const {
  return std::ranges::any_of(
      rules_, [&](const IptablesRule& rule) { return rule.chain == chain && rule.words == words; });
}

std::size_t IptablesListing::count_jumps(std::string_view chain, std::string_view target) const {
  return static_cast<std::size_t>(std::ranges::count_if(rules_, [&](const IptablesRule& rule) {
    return rule.target == target && (chain.empty() || rule.chain == chain);
  }));
}

/// A line break in a word would begin another command of iptables-restore.
std::string iptables_line(std::string_view verb, const std::string& chain,
                          const IptablesWords& words) {
  std::string line = fmt::format("{} {}", verb, chain);
  for (const std::string& word : words) {
    if (word.find_first_of(std::string_view("\n\r\0", 3)) != word.npos) {
      throw Error(Code::invalid_config,
                  fmt::format("\"{}\" has a line break, which no rule of iptables can hold", word));
    }
    line += ' ' + quoted(word);
  }
  return line + '\n';
}

// iptables-save prints options in an order of its own, a match's "!" before the option: enough is
// taken apart to know a rule's ends, the rest is compared word by word.
void IptablesListing::add_rule(std::string_view line) {
  line.remove_prefix(kAppend.size());
  IptablesRule rule;
  rule.chain = until(line, ' ');
  line.remove_prefix(std::min(line.size(), rule.chain.size() + 1));
  rule.text = line;
  rule.words = split(line);
  const IptablesWords& words = rule.words;
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
