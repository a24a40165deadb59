#include "base/shell_word.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

namespace unicni::shell_word_test {
namespace {

TEST(ShellWord, OrdinaryPathsStayReadable) {
  EXPECT_EQ(shell_word("/opt/cni/bin/host-local_2.so"), "/opt/cni/bin/host-local_2.so");
  EXPECT_EQ(shell_word("net.d/10-a.conflist"), "net.d/10-a.conflist");
}

TEST(ShellWord, WhatAShellWouldReadOtherwiseIsQuoted) {
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("/my folder"), "'/my folder'");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
}

/// Text that comes out of the shell as it went in.
TEST(ShellWord, AShellTakesItForTheText) {
  for (const char* text : {"", "a b", "~", "$HOME", "`id`", "a;b", "it's", "''", "a\"b\\c", "*",
                           "#x", "a\nb", "a&b|c>d<e(f)", "ü", "!x", "{a,b}", "-n=1,2:3@x%y+"}) {
    const std::string command = "printf '[%s]' " + shell_word(text);
    std::FILE* shell = ::popen(command.c_str(), "r");
    ASSERT_NE(shell, nullptr);
    std::array<char, 64> said{};
    const std::size_t size = std::fread(said.data(), 1, said.size(), shell);
    EXPECT_EQ(::pclose(shell), 0) << command;
    EXPECT_EQ(std::string(said.data(), size), std::string("[") + text + ']') << command;
  }
}

}  // namespace
}  // namespace unicni::shell_word_test
