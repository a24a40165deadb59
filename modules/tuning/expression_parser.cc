#include "expression_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "unicni/error.h"

namespace unicni::tuning {

namespace {

using Kind = ExpressionNode::Kind;
using Place = Expression::Place;
using Ranges = Expression::Ranges;

constexpr char32_t kLast = 0x10ffff;
constexpr char32_t kReplacement = 0xfffd;
constexpr std::uint32_t kMostRepeats = 1000;  // as Go
constexpr unsigned kDeepest = 100;            // groups; Go has 1000

Ranges digits() { return {{'0', '9'}}; }
Ranges blanks() { return {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}; }
Ranges word() { return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}; }

std::optional<Ranges> named_class(std::u32string_view name) {
  if (name == U"alnum") return Ranges{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
  if (name == U"alpha") return Ranges{{'A', 'Z'}, {'a', 'z'}};
  if (name == U"ascii") return Ranges{{0, 0x7f}};
  if (name == U"blank") return Ranges{{'\t', '\t'}, {' ', ' '}};
  if (name == U"cntrl") return Ranges{{0, 0x1f}, {0x7f, 0x7f}};
  if (name == U"digit") return digits();
  if (name == U"graph") return Ranges{{'!', '~'}};
  if (name == U"lower") return Ranges{{'a', 'z'}};
  if (name == U"print") return Ranges{{' ', '~'}};
  if (name == U"punct") return Ranges{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}};
  if (name == U"space") return Ranges{{'\t', '\r'}, {' ', ' '}};
  if (name == U"upper") return Ranges{{'A', 'Z'}};
  if (name == U"word") return word();
  if (name == U"xdigit") return Ranges{{'0', '9'}, {'A', 'F'}, {'a', 'f'}};
  return std::nullopt;
}

Ranges all_but(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges rest;
  char32_t from = 0;
  for (const auto& [low, high] : ranges) {
    if (low > from) rest.emplace_back(from, low - 1);
    from = std::max<char32_t>(from, high + 1);
  }
  if (from <= kLast) rest.emplace_back(from, kLast);
  return rest;
}

void append(Ranges& to, const Ranges& more) { to.insert(to.end(), more.begin(), more.end()); }

/// Adds the letters of the other case.
void fold(Ranges& ranges) {
  constexpr char32_t kBetweenCases = 'a' - 'A';
  const auto overlap = [](std::pair<char32_t, char32_t> range, char32_t low, char32_t high) {
    return std::pair(std::max(range.first, low), std::min(range.second, high));
  };
  for (std::size_t i = ranges.size(); i-- > 0;) {
    const auto upper = overlap(ranges[i], 'A', 'Z');
    const auto lower = overlap(ranges[i], 'a', 'z');
    if (upper.first <= upper.second)
      ranges.emplace_back(upper.first + kBetweenCases, upper.second + kBetweenCases);
    if (lower.first <= lower.second)
      ranges.emplace_back(lower.first - kBetweenCases, lower.second - kBetweenCases);
  }
}

bool is_octal(char32_t c) { return c >= '0' && c <= '7'; }

std::optional<std::uint32_t> hex_value(char32_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::u32string text) : text_(std::move(text)) {}

  ExpressionNode whole() {
    ExpressionNode node = choice();
    if (at_ < text_.size()) fail("unexpected )");
    return node;
  }

 private:
  struct Flags {
    bool folds = false;          // (?i)
    bool many_lines = false;     // (?m)
    bool dot_takes_all = false;  // (?s)
  };

  [[noreturn]] static void fail(std::string_view what) {
    throw Error(Code::invalid_config, std::string(what));
  }
  [[nodiscard]] bool ended() const { return at_ == text_.size(); }
  [[nodiscard]] bool sees(std::u32string_view what) const {
    return std::u32string_view(text_).substr(at_).starts_with(what);
  }
  bool take(std::u32string_view what) {
    if (!sees(what)) return false;
    at_ += what.size();
    return true;
  }
  char32_t next(std::string_view missing) {
    if (ended()) fail(missing);
    return text_[at_++];
  }

  ExpressionNode choice() {
    ExpressionNode node;
    node.kind = Kind::choice;
    do {
      node.parts.push_back(sequence());
    } while (take(U"|"));
    return node;
  }

  ExpressionNode sequence() {
    ExpressionNode node;
    while (!ended() && !sees(U"|") && !sees(U")")) {
      if (take(U"\\Q")) {
        while (!ended() && !take(U"\\E")) node.parts.push_back(one(next("")));
        if (!node.parts.empty()) repeat(node.parts.back());
        continue;
      }
      auto part = atom();
      if (!part) continue;  // flags for what follows
      repeat(*part);
      node.parts.push_back(*std::move(part));
    }
    return node;
  }

  /// What stands behind `part` of "*", "+", "?", "{n,m}", each with a "?" that changes nothing
  /// here.
  void repeat(ExpressionNode& part) {
    const auto counts = quantifier();
    if (!counts) return;
    take(U"?");
    if (quantifier()) fail("invalid nested repetition operator");
    ExpressionNode node;
    node.kind = Kind::repeat;
    node.least = counts->first;
    node.most = counts->second;
    node.parts.push_back(std::move(part));
    part = std::move(node);
  }

  using Counts = std::pair<std::uint32_t, std::uint32_t>;
  std::optional<Counts> quantifier() {
    if (take(U"*")) return Counts{0, ExpressionNode::kWithoutLimit};
    if (take(U"+")) return Counts{1, ExpressionNode::kWithoutLimit};
    if (take(U"?")) return Counts{0, 1};
    const std::size_t begin = at_;
    if (!take(U"{")) return std::nullopt;
    const auto least = number();
    auto most = least;
    if (least && take(U",")) most = sees(U"}") ? ExpressionNode::kWithoutLimit : number();
    if (!least || !most || !take(U"}")) {
      at_ = begin;  // a brace like any other letter
      return std::nullopt;
    }
    const bool limited = *most != ExpressionNode::kWithoutLimit;
    if (*least > kMostRepeats || (limited && (*most > kMostRepeats || *most < *least)))
      fail("invalid repeat count");
    return Counts{*least, *most};
  }

  std::optional<std::uint32_t> number() {
    const std::size_t begin = at_;
    std::uint32_t value = 0;
    while (!ended() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = std::min(value * 10 + (text_[at_++] - '0'), kMostRepeats + 1);
    }
    return at_ == begin ? std::nullopt : std::optional(value);
  }

  std::optional<ExpressionNode> atom() {
    if (sees(U"*") || sees(U"+") || sees(U"?")) fail("missing argument to repetition operator");
    if (take(U"(")) return group();
    if (take(U"[")) return set(bracket());
    if (take(U".")) return set(flags_.dot_takes_all ? all_but({}) : all_but({{'\n', '\n'}}));
    if (take(U"^")) return place(flags_.many_lines ? Place::line_begin : Place::text_begin);
    if (take(U"$")) return place(flags_.many_lines ? Place::line_end : Place::text_end);
    if (take(U"\\A")) return place(Place::text_begin);
    if (take(U"\\z")) return place(Place::text_end);
    if (take(U"\\b")) return place(Place::word);
    if (take(U"\\B")) return place(Place::no_word);
    if (sees(U"\\")) {
      if (auto ranges = class_escape()) return set(*std::move(ranges));
      return one(escape());
    }
    return one(next(""));
  }

  std::optional<ExpressionNode> group() {
    const Flags before = flags_;
    if (take(U"?")) {
      if (take(U"P<") || take(U"<")) {
        const std::size_t begin = at_;
        while (!ended() && !sees(U">")) {
          const char32_t c = next("");
          const bool fits = c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z');
          if (!fits) fail("invalid named capture");
        }
        if (begin == at_ || !take(U">")) fail("invalid named capture");
      } else if (!read_flags()) {
        return std::nullopt;
      }
    }
    if (++depth_ > kDeepest) fail("expression nests too deeply");
    ExpressionNode inner = choice();
    --depth_;
    if (!take(U")")) fail("missing closing )");
    flags_ = before;
    return inner;
  }

  /// "i-s:" or "i-s)" of "(?"; false: it was the latter, for the rest of the group around it.
  bool read_flags() {
    constexpr auto kUnknown = "invalid or unsupported Perl syntax";
    bool on = true;
    std::size_t named = 0;
    for (;;) {
      const char32_t c = next("missing closing )");
      if (c == 'i') {
        flags_.folds = on;
      } else if (c == 'm') {
        flags_.many_lines = on;
      } else if (c == 's') {
        flags_.dot_takes_all = on;
      } else if (c == '-' && on) {
        on = false;
        named = 0;
        continue;
      } else if ((c == ':' || c == ')') && (on || named > 0)) {
        return c == ':';
      } else if (c != 'U') {
        fail(kUnknown);
      }
      ++named;
    }
  }

  ExpressionNode set(Ranges ranges) const {
    ExpressionNode node;
    node.kind = Kind::one_of;
    node.ranges = std::move(ranges);
    return node;
  }
  ExpressionNode one(char32_t c) const {
    Ranges ranges{{c, c}};
    if (flags_.folds) fold(ranges);
    return set(std::move(ranges));
  }
  static ExpressionNode place(Place place) {
    ExpressionNode node;
    node.kind = Kind::place;
    node.place = place;
    return node;
  }

  Ranges bracket() {
    constexpr auto kOpen = "missing closing ]";
    const bool negated = take(U"^");
    Ranges ranges;
    for (bool first = true; first || !sees(U"]"); first = false) {
      if (ended()) fail(kOpen);
      if (sees(U"[:")) {
        if (auto found = posix_class()) {
          append(ranges, *found);
          continue;
        }
      }
      if (auto found = class_escape()) {
        append(ranges, *found);
        continue;
      }
      const char32_t low = sees(U"\\") ? escape() : next(kOpen);
      char32_t high = low;
      if (sees(U"-") && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        high = sees(U"\\") ? escape() : next(kOpen);
      }
      if (high < low) fail("invalid character class range");
      ranges.emplace_back(low, high);
    }
    ++at_;
    if (flags_.folds) fold(ranges);
    return negated ? all_but(std::move(ranges)) : ranges;
  }

  std::optional<Ranges> posix_class() {
    const std::size_t end = text_.find(U":]", at_ + 2);
    if (end == std::u32string::npos) return std::nullopt;
    std::u32string_view name = std::u32string_view(text_).substr(at_ + 2, end - at_ - 2);
    const bool negated = name.starts_with(U'^');
    if (negated) name.remove_prefix(1);
    auto found = named_class(name);
    if (!found) fail("invalid character class range");
    at_ = end + 2;
    return negated ? all_but(*std::move(found)) : found;
  }

  std::optional<Ranges> class_escape() {
    if (take(U"\\d")) return digits();
    if (take(U"\\D")) return all_but(digits());
    if (take(U"\\s")) return blanks();
    if (take(U"\\S")) return all_but(blanks());
    if (take(U"\\w")) return word();
    if (take(U"\\W")) return all_but(word());
    return std::nullopt;
  }

  /// A letter that is written as "\…".
  char32_t escape() {
    constexpr auto kInvalid = "invalid escape sequence";
    ++at_;
    const char32_t c = next("trailing backslash at end of expression");
    switch (c) {
      case 'a':
        return '\a';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'x':
        return hex_escape();
      default:
        break;
    }
    if (c == '0' || (is_octal(c) && !ended() && is_octal(text_[at_]))) {
      char32_t value = c - '0';
      for (int i = 0; i < 2 && !ended() && is_octal(text_[at_]); ++i)
        value = value * 8 + (text_[at_++] - '0');
      return value;
    }
    const bool means_something =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
    if (means_something) fail(kInvalid);
    return c;
  }

  char32_t hex_escape() {
    constexpr auto kInvalid = "invalid escape sequence";
    const bool braces = take(U"{");
    char32_t value = 0;
    std::size_t count = 0;
    while (!ended() && (braces || count < 2)) {
      const auto digit = hex_value(text_[at_]);
      if (!digit) break;
      value = value * 16 + *digit;
      if (value > kLast) fail(kInvalid);
      ++at_;
      ++count;
    }
    if (count == 0 || (!braces && count != 2) || (braces && !take(U"}"))) fail(kInvalid);
    return value;
  }

  std::u32string text_;
  std::size_t at_ = 0;
  Flags flags_;
  unsigned depth_ = 0;
};

}  // namespace

std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(at);
    const std::size_t more = first < 0x80 ? 0 : first >> 5U == 6 ? 1 : first >> 4U == 14 ? 2 : 3;
    char32_t point = more == 0 ? first : first & (0x3fU >> more);
    bool good = more == 0 || (first >= 0xc2 && first <= 0xf4 && text.size() - at > more);
    for (std::size_t i = 1; good && i <= more; ++i) {
      good = byte(at + i) >> 6U == 2;
      point = point << 6U | (byte(at + i) & 0x3fU);
    }
    constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    good = good && point >= kLeast[more] && point <= kLast && (point < 0xd800 || point > 0xdfff);
    points += good ? point : kReplacement;
    at += good ? more + 1 : 1;
  }
  return points;
}

ExpressionNode parse_expression(std::string_view text) { return Parser(code_points(text)).whole(); }

}  // namespace unicni::tuning
