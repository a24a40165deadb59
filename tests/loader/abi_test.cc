// The module-facing headers are the ABI: a change of theirs needs another number. Comments and
// white space don't count. From number 2 on classes with virtual methods and the structs that a
// module's file holds only grow at their ends.
#include <gmock/gmock.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "unicni/module.h"

namespace unicni::test::abi_test {
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
    const bool is_applications = name == "runtime.h" || name == "observer.h";
    if (entry.path().extension() != ".h" || is_applications) continue;
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

struct Class {
  const char* name;
  const char* header;
};

/// A class whose methods both sides call by their places in its table, behind its bases, whose
/// methods stand before its own. A further one is a row here, and rows of abi_methods.txt.
struct Interface {
  const char* name;
  std::vector<Class> classes;
};

const Interface kInterfaces[] = {
    {"Module", {{"Module", "module.h"}}},
    {"LinkHooks", {{"LinkHooks", "link_module.h"}}},
    {"ChainedHooks", {{"ChainedHooks", "chained_module.h"}}},
    {"Host",
     {{"Namespaces", "net/namespaces.h"},
      {"HostKernel", "undo/host_kernel.h"},
      {"Host", "host.h"}}},
    {"Ipam", {{"Ipam", "host.h"}}},
    {"Delegate", {{"Delegate", "host.h"}}},
    {"UndoLog", {{"UndoLog", "undo.h"}}},
};

/// The virtual methods that a class declares, in their order: "Result add(const Call&, Host&)".
std::vector<std::string> virtual_methods(const std::string& source, const std::string& name) {
  const std::string text = std::regex_replace(
      std::regex_replace(source, std::regex("//[^\n]*"), ""), std::regex("\\s+"), " ");
  std::smatch head;
  std::vector<std::string> methods;
  if (!std::regex_search(text, head, std::regex("class " + name + "( :[^{;]*)? \\{")))
    return methods;
  auto at = static_cast<std::size_t>(head.position() + head.length());
  std::size_t depth = 1;  // of braces
  for (; at < text.size() && depth > 0; ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}') --depth;
    constexpr std::string_view kVirtual = "virtual ";
    if (depth != 1 || text.compare(at, kVirtual.size(), kVirtual) != 0) continue;
    const auto start = at + kVirtual.size();
    at = text.find_first_of(";{", start) - 1;
    auto method = text.substr(start, at + 1 - start);
    if (const auto pure = method.find(" = 0"); pure != method.npos) method.resize(pure);
    method.resize(method.find_last_not_of(' ') + 1);
    methods.push_back(method);
  }
  return methods;
}

struct Recorded {
  std::string name;
  unsigned abi;
  std::string method;
};

/// Rows "<class> <number> <method>".
std::vector<Recorded> recorded_methods() {
  std::istringstream lines(content_of(METHODS));
  std::vector<Recorded> rows;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    Recorded& row = rows.emplace_back();
    words >> row.name >> row.abi >> std::ws;
    std::getline(words, row.method);
  }
  return rows;
}

TEST(AbiTest, VirtualMethodsAreWhereTheirNumbersHaveThem) {
  const auto rows = recorded_methods();
  for (const auto& [name, classes] : kInterfaces) {
    SCOPED_TRACE(name);
    std::vector<std::string> recorded;
    unsigned newest = 2;
    for (const auto& row : rows) {
      if (row.name != name) continue;
      EXPECT_GE(row.abi, newest) << "an older number below a newer one: " << row.method;
      newest = row.abi;
      recorded.push_back(row.method);
    }
    EXPECT_LE(newest, UNICNI_ABI);
    std::vector<std::string> found;
    for (const auto& [part, header] : classes) {
      const auto methods = virtual_methods(content_of(fs::path(HEADERS) / header), part);
      EXPECT_FALSE(methods.empty()) << part << " isn't in unicni/" << header;
      found.insert(found.end(), methods.begin(), methods.end());
    }
    std::string as_rows;
    for (const auto& method : found) {
      as_rows += '\n' + std::string(name) + ' ' + std::to_string(UNICNI_ABI) + ' ' + method;
    }
    EXPECT_EQ(found, recorded)
        << "Methods of a number that was released stay as they are and where they are. A new one "
           "stands at the end, and in tests/loader/abi_methods.txt with the number that it came "
           "with. While no release has the number of this tree, these are its rows:"
        << as_rows;
  }
}

TEST(AbiTest, EveryRecordedClassIsLookedAt) {
  std::vector<std::string> names;
  for (const auto& interface : kInterfaces) names.emplace_back(interface.name);
  for (const auto& row : recorded_methods()) EXPECT_THAT(names, testing::Contains(row.name));
}

TEST(AbiTest, MovesAndLossesOfMethodsAreSeen) {
  const std::string source = R"(class Other { virtual void no(); };
    class Some : public Base<int> {
     public:
      virtual ~Some();  // virtual void in_a_comment();
      [[nodiscard]] virtual bool is(const Call&) const { if (x) { return y; } return true; }
      virtual std::optional<Dns> dns(
          const Call&) const = 0;
      struct Inner { virtual void inside(); };
      void plain(); int member = 0;
    };
    class Next { virtual void behind(); };)";
  EXPECT_THAT(virtual_methods(source, "Some"),
              testing::ElementsAre("~Some()", "bool is(const Call&) const",
                                   "std::optional<Dns> dns( const Call&) const"));
  const std::string header = content_of(fs::path(HEADERS) / "module.h");
  const auto methods = virtual_methods(header, "Module");
  ASSERT_GE(methods.size(), 9U);
  const std::string check = "virtual void check(const Call&, Host&) = 0;";
  const std::string del = "virtual void del(const Call&, Host&) = 0;";
  ASSERT_NE(header.find(check), header.npos);
  ASSERT_NE(header.find(del), header.npos);
  auto lost = header;
  lost.erase(lost.find(check), check.size());
  EXPECT_EQ(virtual_methods(lost, "Module").size(), methods.size() - 1);
  auto moved = lost;
  moved.insert(moved.find(del), check);
  EXPECT_NE(virtual_methods(moved, "Module"), methods);
  EXPECT_THAT(virtual_methods(moved, "Module"), testing::UnorderedElementsAreArray(methods));
}

// What the loader reads of a module's file and of its memory; a member of a later number stands
// behind these.
static_assert(offsetof(unicni::ModuleNote, abi) == 0 && offsetof(unicni::ModuleNote, kind) == 4 &&
              offsetof(unicni::ModuleNote, name) == 8 &&
              offsetof(unicni::ModuleNote, version) == 40 &&
              offsetof(unicni::ModuleNote, toolchain) == 72 &&
              offsetof(unicni::ModuleNote, built_for) == 168);
using Descriptor = unicni::ModuleDescriptor;
constexpr std::size_t kPointer = sizeof(void*);
static_assert(offsetof(Descriptor, size) == 0 && offsetof(Descriptor, abi) == 4 &&
              offsetof(Descriptor, toolchain) == 8 &&
              offsetof(Descriptor, built_for) == 8 + kPointer &&
              offsetof(Descriptor, name) == 8 + 2 * kPointer &&
              offsetof(Descriptor, version) == 8 + 3 * kPointer &&
              offsetof(Descriptor, kind) == 8 + 4 * kPointer &&
              offsetof(Descriptor, traits) == 12 + 4 * kPointer &&
              offsetof(Descriptor, spec_versions) == 16 + 4 * kPointer &&
              offsetof(Descriptor, capabilities) == 16 + 5 * kPointer &&
              offsetof(Descriptor, options) == 16 + 6 * kPointer &&
              offsetof(Descriptor, create) == 16 + 7 * kPointer &&
              offsetof(Descriptor, destroy) == 16 + 8 * kPointer);

TEST(AbiTest, CommentsAndSpaceDontCount) {
  EXPECT_EQ(significant("int a; // one\n/* two\n */ int  b;"), "inta;intb;");
  EXPECT_EQ(significant("f(\"// no comment \\\" here\", '\"') // yes"),
            "f(\"// no comment \\\" here\",'\"')");
  EXPECT_NE(hash_of(significant("int a;")), hash_of(significant("long a;")));
}

}  // namespace
}  // namespace unicni::test::abi_test
