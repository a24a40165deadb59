#include "document/yaml.h"

#include <fmt/core.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "document/builder.h"
#include "options/describe.h"

namespace unicni::document {
namespace {

constexpr std::string_view kString = "tag:yaml.org,2002:str";
// What the library calls scalars, lists and maps without a tag.
constexpr std::string_view kPlain = "?";
constexpr std::string_view kQuoted = "!";

constexpr const char* kOneDocument = "a file holds one YAML document, and nothing after it";
constexpr const char* kNoTag =
    "!!str is allowed in front of a text; of what type other values are, their keys decide";

std::size_t offset(const YAML::Mark& mark) {
  return mark.pos < 0 ? std::numeric_limits<std::size_t>::max()
                      : static_cast<std::size_t>(mark.pos);
}

/// `text` behind a node's tag and anchor, and the blanks after them.
std::string_view after_properties(std::string_view text) {
  while (!text.empty() && (text.front() == '&' || text.front() == '!')) {
    text.remove_prefix(std::min(text.find_first_of(" \t\r\n"), text.size()));
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  }
  return text;
}

/// The word for nothing at the front of `text`; "": there is none, but whatever comes next. As a
/// value it isn't one that a ":" follows, which is the next key.
std::string_view null_word(std::string_view text, bool is_key) {
  for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
    if (!text.starts_with(word)) continue;
    const std::string_view rest = text.substr(word.size());
    const bool ends = rest.empty() ||
                      std::string_view(" \t\r\n,]}:").find(rest.front()) != std::string_view::npos;
    const bool has_colon =
        rest.substr(std::min(rest.find_first_not_of(" \t"), rest.size())).starts_with(':');
    return ends && (is_key || !has_colon) ? word : std::string_view();
  }
  return {};
}

/// Where the quote of a quoted text that begins at `at` opens, if none closes it: the library takes
/// the end of the file for the other one, and all that stands there for text.
std::optional<std::size_t> find_open_quote(std::string_view text, std::size_t at) {
  const std::string_view node = text.substr(std::min(at, text.size()));
  std::string_view rest = after_properties(node);
  for (;;) {  // a tag or an anchor may stand in a line of its own
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    if (!rest.starts_with('#')) break;
    rest.remove_prefix(std::min(rest.find('\n'), rest.size()));
  }
  if (rest.empty() || (rest.front() != '"' && rest.front() != '\'')) return std::nullopt;
  const char quote = rest.front();
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (quote == '"' && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == quote) {
      if (quote == '"' || rest.substr(i + 1, 1) != "'") return std::nullopt;
      ++i;  // two of them are one in the text
    }
  }
  return text.size() - rest.size();
}

class Events : public YAML::EventHandler {
 public:
  explicit Events(const Source& source) : source_(source), builder_(source) {}

  [[nodiscard]] NodePtr root() const { return builder_.root(); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (began_) throw refusal(mark, "a second document, or text after the first", kOneDocument);
    began_ = true;
  }
  void OnDocumentEnd() override {}

  /// The library doesn't say in which way there is nothing, and of what is left empty it has the
  /// place of whatever comes next.
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::string_view rest =
        after_properties(source_.text().substr(std::min(offset(mark), source_.text().size())));
    std::string text(null_word(rest, builder_.expects_key()));
    if (text.empty() && builder_.in_sequence() &&
        (rest.starts_with(',') || rest.starts_with(']'))) {
      throw refusal(mark, "an element is missing", "between commas a value is expected");
    }
    const bool has_place = !text.empty() || builder_.expects_key();
    keep(anchor, builder_.scalar(has_place ? std::optional(position(mark)) : std::nullopt,
                                 Style::plain, std::move(text)));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw refusal(mark, "an alias stands inside of what it stands for",
                    "what an anchor (&) names must be complete before an alias (*) repeats it");
    }
    builder_.alias(position(mark), found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag != kPlain && tag != kQuoted && tag != kString) refuse_tag(mark, tag);
    if (tag != kPlain) require_closed_quote(mark);
    keep(anchor,
         builder_.scalar(position(mark), tag == kPlain ? Style::plain : Style::text, value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  [[nodiscard]] Position position(const YAML::Mark& mark) const {
    return source_.position(offset(mark));
  }
  [[nodiscard]] Refusal refusal(const YAML::Mark& mark, std::string_view msg,
                                std::string details) const {
    const std::string path = builder_.path();
    return source_.refusal(offset(mark), path.empty() ? msg : fmt::format("{}: {}", path, msg),
                           std::move(details));
  }
  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    const std::string shown = tag.starts_with(kCore) ? "!!" + tag.substr(kCore.size()) : tag;
    throw refusal(mark, fmt::format("the tag {} is not allowed here", options::shown_text(shown)),
                  kNoTag);
  }
  void require_closed_quote(const YAML::Mark& mark) const {
    const auto at = find_open_quote(source_.text(), offset(mark));
    if (!at) return;
    throw source_.refusal(*at, fmt::format("a quote {} that nothing closes", source_.text()[*at]),
                          "a quoted text ends with the same quote; here all that follows, to the "
                          "end of the file, would be text");
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    if (tag != kPlain) refuse_tag(mark, tag);
    builder_.open(position(mark), kind);
    open_.push_back(anchor);
  }
  void close() {
    const YAML::anchor_t anchor = open_.back();
    open_.pop_back();
    keep(anchor, builder_.close());
  }
  void keep(YAML::anchor_t anchor, NodePtr node) {
    if (anchor != YAML::NullAnchor) anchors_.emplace(anchor, std::move(node));
  }

  const Source& source_;
  Builder builder_;
  bool began_ = false;
  std::vector<YAML::anchor_t> open_;                     // of lists and maps
  std::unordered_map<YAML::anchor_t, NodePtr> anchors_;  // of complete nodes
};

/// A "\r" of its own: YAML takes it for the end of a line, the library drops it.
void refuse_lone_returns(const Source& source) {
  const std::string_view text = source.text();
  for (std::size_t at = text.find('\r'); at != std::string_view::npos;
       at = text.find('\r', at + 1)) {
    if (text.substr(at, 2) == "\r\n") continue;
    throw source.refusal(at, "a carriage return without a line feed",
                         "lines end in a line feed, or in both");
  }
}

/// The line of what stands at `at`, from its begin.
std::string_view line_at(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  const std::size_t before = text.substr(0, at).rfind('\n');
  const std::size_t begin = before == text.npos ? 0 : before + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

bool is_indented_by_tab(std::string_view line) {
  const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
  return line.substr(0, indent).find('\t') != line.npos;
}

std::string alias_at(std::string_view text, std::size_t at) {
  std::string_view name = text.substr(std::min(at, text.size()));
  if (name.starts_with('*')) name.remove_prefix(1);
  return std::string(name.substr(0, name.find_first_of(" \t\r\n,[]{}")));
}

/// What mends it, as the library's own words are those of who writes a parser.
std::string advice(const std::string& what, std::string_view text, std::size_t at) {
  if (what.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) {  // since 0.8 with its name behind
    return fmt::format("*{0} repeats what stands behind &{0}, which isn't above it",
                       alias_at(text, at));
  }
  if (is_indented_by_tab(line_at(text, at))) return "YAML is indented by spaces, not by tabs";
  constexpr std::pair<std::string_view, const char*> kAdvice[] = {
      {"illegal block entry", "no element of a list (-) can begin here: look at the lines above"},
      {"illegal map key", "no key can stand here: look at the indentation and the line above"},
      {"illegal map value", "a text that has \": \" in it stands in quotes"},
      {"illegal EOF in scalar", "a quoted text ends with the quote that it began with"},
      {"end of sequence not found",
       "the elements of a list begin in one column: this line begins in another one"},
      {"end of map not found",
       "the keys of an object begin in one column: this line begins in another one"},
      {"end of sequence flow not found", "a [ above is closed by nothing"},
      {"end of map flow not found", "a { above is closed by nothing"},
  };
  for (const auto& [words, mends] : kAdvice) {
    if (what == words) return mends;
  }
  return "YAML 1.2 is expected";
}

}  // namespace

NodePtr read_yaml(const Source& source) {
  refuse_lone_returns(source);
  std::istringstream stream{std::string(source.text())};
  Events events(source);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(events);
    parser.HandleNextDocument(events);  // throws if there is a second one
  } catch (const YAML::Exception& error) {
    throw source.refusal(offset(error.mark), error.msg,
                         advice(error.msg, source.text(), offset(error.mark)));
  }
  const NodePtr root = events.root();
  const bool is_empty =
      root == nullptr || (root->kind == Kind::scalar && root->text.empty() && root->is_null());
  if (is_empty) throw source.refusal(Position{}, "the file holds no value", kOneDocument);
  return root;
}

}  // namespace unicni::document
