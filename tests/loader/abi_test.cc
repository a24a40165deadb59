// The module-facing headers are the ABI: a change of theirs needs another number. Comments and
// white space don't count.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

#include "unicni/module.h"

namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Without comments and without white space outside of literals.
std::string significant(const std::string& source) {
  std::string out;
  for (std::size_t i = 0; i < source.size();) {
    const char c = source[i];
    if (source.compare(i, 2, "//") == 0) {
      i = std::min(source.find('\n', i), source.size());
    } else if (source.compare(i, 2, "/*") == 0) {
      const auto end = source.find("*/", i + 2);
      i = end == source.npos ? source.size() : end + 2;
    } else if (c == '"' || c == '\'') {
      auto end = i + 1;
      while (end < source.size() && source[end] != c) end += source[end] == '\\' ? 2U : 1U;
      out.append(source, i, end + 1 - i);
      i = end + 1;
    } else {
      if (std::string_view(" \t\r\n\\").find(c) == std::string_view::npos) out += c;
      ++i;
    }
  }
  return out;
}

/// FNV-1a, 64 bits.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

std::string hash_of_headers() {
  std::map<std::string, std::string> headers;
  for (const auto& entry : fs::recursive_directory_iterator(HEADERS)) {
    const auto name = fs::relative(entry.path(), HEADERS).string();
    // What an application includes; no module may.
    if (entry.path().extension() != ".h" || name == "runtime.h") continue;
    headers[name] = significant(content_of(entry.path()));
  }
  std::string all;
  for (const auto& [name, text] : headers) all += name + '\n' + text + '\n';
  std::ostringstream text;
  text << std::hex;
  text.width(16);
  text.fill('0');
  text << hash_of(all);
  return text.str();
}

TEST(AbiTest, TheHeadersAreThoseOfTheAbiNumber) {
  std::istringstream lines(content_of(HASHES));
  std::map<unsigned, std::string> hashes;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    unsigned abi = 0;
    words >> abi;
    words >> hashes[abi];
  }
  EXPECT_EQ(hashes[UNICNI_ABI], hash_of_headers())
      << "The module-facing headers (core/include/unicni) are not those of ABI " << UNICNI_ABI
      << ". If modules built before your change can't be loaded safely, raise UNICNI_ABI in "
         "unicni/module.h and add a line for it to tests/loader/abi_hashes.txt; if they can "
         "(something was appended), or no release has this number yet, replace its line:\n"
      << UNICNI_ABI << ' ' << hash_of_headers();
  EXPECT_EQ(hashes.rbegin()->first, UNICNI_ABI) << "hashes of an ABI that isn't there yet";
}

TEST(AbiTest, CommentsAndSpaceDontCount) {
  EXPECT_EQ(significant("int a; // one\n/* two\n */ int  b;"), "inta;intb;");
  EXPECT_EQ(significant("f(\"// no comment \\\" here\", '\"') // yes"),
            "f(\"// no comment \\\" here\",'\"')");
  EXPECT_NE(hash_of(significant("int a;")), hash_of(significant("long a;")));
}

}  // namespace
