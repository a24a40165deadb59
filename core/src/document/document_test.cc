#include "document/document.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "document/tree_for_test.h"
#include "document/typed.h"
#include "protocol/document.h"
#include "unicni/sys/file.h"

namespace unicni::document::document_test {
namespace {

/// Random JSON as people and programs write it. Left out is what yaml-cpp can't read (yaml.h): a
/// line end between key and colon, and surrogate halves.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string document() {
    depth_ = 0;
    return blanks() + value() + blanks();
  }

 private:
  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  template <std::size_t N>
  std::string one_of(const char* const (&choices)[N]) {
    return choices[below(N)];
  }
  std::string blanks() { return one_of({"", "", "", " ", "  ", "\n", "\r\n", "\t", "\n    "}); }
  std::string string() {
    std::string text = "\"";
    for (std::size_t i = below(6); i > 0; --i) {
      text += one_of({"a",       "B",       "0",      " ",      "-",   ": ",  " #",      "#",
                      ",",       "[",       "}",      "'",      "''",  "&",   "*",       "!",
                      "|",       ">",       "%",      "@",      "`",   "~",   "null",    "no",
                      "<<",      "? ",      "- ",     "---",    "...", "ä",   "€",       "😀",
                      "\x7f",    "\u0085",  "\u2028", "\u00a0", "//",  "/*",  "\\\"",    "\\\\",
                      "\\/",     "\\b",     "\\f",    "\\n",    "\\r", "\\t", "\\u0000", "\\u00e4",
                      "\\u20AC", "\\u0085", "\\ufeff"});
    }
    return text + '"';
  }
  std::string value() {
    const std::size_t kind = below(depth_ > 6 ? 6 : 10);
    if (kind < 2) return string();
    if (kind < 3) return one_of({"true", "false", "null"});
    if (kind < 6) {
      return one_of({"0", "-0", "1", "-12", "1.0", "0.50", "1e3", "-1.5E-7", "1E+2",
                     "18446744073709551616", "9007199254740993", "100000000000000000000000.5"});
    }
    ++depth_;
    std::string text = kind < 8 ? "{" : "[";
    const std::size_t count = below(5);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text += ',' + blanks();
      if (kind < 8) {
        std::string key = string();
        key.insert(key.size() - 1, std::to_string(i));  // no two are equal
        text += blanks() + key + one_of({"", "", " "}) + ':' + one_of({"", " ", " ", "\n  "});
      } else {
        text += blanks();
      }
      text += value() + blanks();
    }
    --depth_;
    return text + (kind < 8 ? '}' : ']');
  }

  std::mt19937 random_;
  int depth_ = 0;
};

void expect_equal(const std::string& text, const std::string& what) {
  try {
    const NodePtr as_json = read_json(Source(what, text));
    const NodePtr as_yaml = read_yaml(Source(what, text));
    EXPECT_EQ(text_of(*as_json, true), text_of(*as_yaml, true)) << what << ":\n" << text;
    EXPECT_TRUE(*as_json == *as_yaml) << what;
  } catch (const Error& error) {
    ADD_FAILURE() << error.msg() << " in\n" << text;
  }
}

TEST(Document, JsonIsTheSameTreeByBothReaders) {
  for (unsigned seed = 0; seed < 5000 && !testing::Test::HasFailure(); ++seed) {
    expect_equal(Generator(seed).document(), "seed " + std::to_string(seed));
  }
}

/// Calls `look` with the text and the name of each configuration and golden case of the project.
template <class Look>
int for_each_configuration(const Look& look) {
  int count = 0;
  for (const char* folder : {"config", "modules", "tests/golden/cases"}) {
    const auto root = std::filesystem::path(UNICNI_SOURCE_DIR) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const auto kind = entry.path().extension();
      if (kind != ".conflist" && kind != ".conf" && kind != ".json") continue;
      look(sys::read_file(entry.path()).value(), entry.path().filename().string());
      ++count;
    }
  }
  return count;
}

TEST(Document, EveryConfigurationOfTheProjectIsTheSameTreeByBothReaders) {
  EXPECT_GT(for_each_configuration(expect_equal), 200);
}

TEST(Document, JsonBecomesTheSameJson) {
  const auto expect_same = [](const std::string& text, const std::string& what) {
    std::vector<Finding> findings;
    const std::string json =
        TypedWriter(Syntax::json, findings).free(*read_json(Source(what, text)));
    EXPECT_EQ(protocol::parse_document(json, what), protocol::parse_document(text, what)) << what;
    EXPECT_TRUE(findings.empty());
  };
  for (unsigned seed = 0; seed < 500; ++seed) {
    expect_same(Generator(seed).document(), "seed " + std::to_string(seed));
  }
  for_each_configuration(expect_same);
}

TEST(Document, WhatIsJsonIsReadAsJson) {
  for (const char* text : {" {\"a\": 1}", "[1]", "// c\n{\"a\": 1}", "/* c */ 5", "{} // c"}) {
    EXPECT_EQ(read(text, "f").syntax, Syntax::json) << text;
  }
  for (const char* text : {"{a: 1}", "[1,]", "{\"a\": 1} # c", "# c\n{\"a\": 1}", "a: 1", "5"}) {
    EXPECT_EQ(read(text, "f").syntax, Syntax::yaml) << text;
  }
  EXPECT_EQ(read("a: 1", "chains/x.yaml").file, "chains/x.yaml");
  EXPECT_EQ(text_of(*read("{\"a\": 1 /* b */}", "f").root, true), "{\"a\"@1:2: 1@1:7}@1:1");
}

TEST(Document, OfTwoErrorsThatOfWhoCameFurtherIsSaid) {
  const auto refusal = [](const std::string& text) {
    return refusal_of([&] { read(text, "f"); }, Code::decode);
  };
  EXPECT_EQ(refusal("{a: 1,\n b: @}"), "f:2:5: unknown token");
  EXPECT_EQ(refusal("{\"a\": 1, // c\n \"b\": 08}").substr(0, 14), "f:2:8: syntax ");
  EXPECT_EQ(refusal("// c\n{a: 1}").substr(0, 14), "f:2:2: syntax ");
}

TEST(Document, AConflistIsJsonOnly) {
  EXPECT_EQ(read_json_only("{\"a\": 1} // c", "f").syntax, Syntax::json);
  EXPECT_EQ(refusal_of([] { read_json_only("a: 1", "f"); }, Code::decode).substr(0, 14),
            "f:1:1: syntax ");
}

}  // namespace
}  // namespace unicni::document::document_test
