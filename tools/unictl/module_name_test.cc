#include "module_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "base/error_for_test.h"

namespace unicni::unictl::module_name_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Lower-case words of C++20 that a module's name can be, and its alternative tokens.
constexpr std::array kKeywords = {
    "alignas", "alignof", "and", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch",
    "char", "class", "compl", "concept", "const", "consteval", "constexpr", "constinit", "continue",
    "decltype", "default", "delete", "do", "double", "else", "enum", "explicit", "export", "extern",
    "false", "final", "float", "for", "friend", "goto", "if", "import", "inline", "int", "long",
    "module", "mutable", "namespace", "new", "noexcept", "not", "nullptr", "operator", "or",
    "override", "private", "protected", "public", "register", "requires", "return", "short",
    "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try",
    "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile",
    "while", "xor",
    // With '-' for '_'.
    "and-eq", "char8-t", "co-await", "const-cast", "not-eq", "static-assert", "thread-local",
    "wchar-t"};

std::string content(const fs::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Without comments and texts.
std::string code_of(const fs::path& path) {
  return std::regex_replace(content(path), std::regex("//[^\n]*|\"[^\"\n]*\""), "");
}

bool is_in_identifier(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Calls each(code, at, end) for every `place` in the sources of all templates.
template <class F>
void each_place(const std::string& place, F each) {
  int found = 0;
  for (const auto& file : fs::recursive_directory_iterator(UNICNI_TEMPLATES)) {
    const std::string name = file.path().filename();
    if (!name.ends_with(".cc.in") && !name.ends_with(".h.in")) continue;
    SCOPED_TRACE(file.path());
    const std::string code = code_of(file.path());
    for (auto at = code.find(place); at != code.npos; at = code.find(place, at + 1)) {
      each(code, at, at + place.size());
      ++found;
    }
  }
  EXPECT_GT(found, 0);
}

TEST(ModuleName, WordsOfCPlusPlusAndNamesInItsLibrariesAreNames) {
  for (const char* word : kKeywords) EXPECT_NO_THROW(ModuleName{word}) << word;
  for (const char* word : {"std", "main", "fmt", "boost", "unicni-x", "net", "link", "c", "m"}) {
    EXPECT_NO_THROW(ModuleName{word}) << word;
  }
}

TEST(ModuleName, NoIdentifierOfATemplateIsTheNameAlone) {
  each_place("@snake@", [](const std::string& code, std::size_t at, std::size_t end) {
    const std::string_view before = std::string_view(code).substr(0, at);
    // The macro makes unicni_module_<symbol> and a text of it.
    if (before.ends_with("UNICNI_MODULE(")) return;
    EXPECT_TRUE(is_in_identifier(before.back()) || is_in_identifier(code[end]))
        << before.substr(before.rfind('\n') + 1);
  });
}

// "Result", "Call" and "Link" are classes of unicni, which a template works with.
TEST(ModuleName, NoClassOfATemplateIsTheNameAlone) {
  each_place("@Class@", [](const std::string& code, std::size_t at, std::size_t end) {
    const std::string_view before = std::string_view(code).substr(0, at);
    if (before.ends_with("TEST(")) return;  // gtest adds to it
    EXPECT_TRUE(is_in_identifier(before.back()) || is_in_identifier(code[end]))
        << before.substr(before.rfind('\n') + 1);
  });
}

// A module "link" has a class LinkModule, and "dns" a struct DnsOptions.
TEST(ModuleName, WhatMayHaveTheClasssNameIsNamedInFull) {
  const std::regex names("[A-Za-z_@:]*(Module|Options)\\b");
  for (const auto& file : fs::recursive_directory_iterator(UNICNI_TEMPLATES)) {
    if (!file.path().filename().string().ends_with(".in")) continue;
    const std::string name = file.path().filename();
    if (!name.ends_with(".cc.in") && !name.ends_with(".h.in")) continue;
    if (name.ends_with("_test.cc.in")) continue;
    const std::string code = code_of(file.path());
    for (auto each = std::sregex_iterator(code.begin(), code.end(), names);
         each != std::sregex_iterator(); ++each) {
      const std::string found = each->str();
      EXPECT_TRUE(found.find('@') != found.npos || found.find("::") != found.npos)
          << file.path() << ": " << found;
    }
  }
}

TEST(ModuleName, WhatCantBeOneIsRefusedWithTheReason) {
  const auto reason = [](const char* name) {
    const Error error = error_of([&] { ModuleName{name}; });
    EXPECT_EQ(error.msg(), std::string("\"") + name + "\" can't be a module's name");
    return error.details();
  };
  for (const char* name :
       {"", "Class", "9p", "a_b", "a-", "-a", "../x", "a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_THAT(reason(name), HasSubstr("at most 31")) << name;
  }
  EXPECT_THAT(reason("test"), HasSubstr("a target of its own: choose another"));
  EXPECT_THAT(reason("linux"), HasSubstr("a macro"));
  EXPECT_THAT(reason("config"), HasSubstr("config.cc has the module's options"));
}

TEST(ModuleName, FillsATemplate) {
  const ModuleName name("wake-on-lan");
  EXPECT_EQ(name.fill("@name@ @snake@.cc.in @Class@Module @name@"),
            "wake-on-lan wake_on_lan.cc.in WakeOnLanModule wake-on-lan");
}

}  // namespace
}  // namespace unicni::unictl::module_name_test
