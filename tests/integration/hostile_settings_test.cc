// A hundred files that no administrator means, as chains and as policies: each is refused with its
// place, or taken for a reason that the table says. Nothing crashes, hangs or is half made; what is
// attached already is checked and collected as if the file weren't there.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <regex>
#include <string>
#include <vector>

#include "integration/host_test.h"

namespace unicni::test::hostile_settings_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::IsEmpty;

struct Hostile {
  std::string name;
  std::string text;
  const char* why_taken = nullptr;  ///< nullptr: it is refused
  /// Makes something that isn't just a file with that text.
  std::function<void(const std::string& path)> make = {};
  bool has_place = true;  ///< the error has file, line and column
};

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

/// Of YAML itself; `good` is a whole chain or policy in flow style: "key: value, …", and `key` its
/// first key.
std::vector<Hostile> of_yaml(const std::string& good, const std::string& key) {
  const std::string whole = '{' + good + "}\n";
  const auto extra = [&](const std::string& text) { return '{' + good + ", x-e: " + text + "}\n"; };
  std::string bomb = "x-a0: &a0 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "x-a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last +
            times(9, ", " + last) + "]\n";
  }
  std::vector<Hostile> all = {
      {"empty", ""},
      {"blank", " \n\n \n"},
      {"comment", "# nothing\n"},
      {"null", "~\n"},
      {"scalar", "word\n"},
      {"sequence", "- 1\n"},
      {"unclosed map", '{' + good},
      {"unclosed string", "a: \"b\n"},
      {"unclosed list", "a: [b\n"},
      {"tab indent", "a:\n\tb: 1\n"},
      {"bad indent", "a:\n  b: 1\n c: 2\n"},
      {"NUL at the end", whole + '\0'},
      {"NUL inside", "{a: \"x" + std::string(1, '\0') + "\"}"},
      {"control byte", "a: \x01\n"},
      {"escape byte", "a: \x1b[31m\n"},
      {"byte order mark", "\xEF\xBB\xBF" + whole},
      {"UTF-16", std::string("{\0a\0", 4)},
      {"lone continuation", "a: \x80\n"},
      {"overlong slash", "a: \xC0\xAF\n"},
      {"surrogate", "a: \xED\xA0\x80\n"},
      {"beyond Unicode", "a: \xF5\x80\x80\x80\n"},
      {"cut character", "a: \xE2\x82"},
      {"latin 1", "a: caf\xE9\n"},
      {"alias bomb", bomb + "x-z: *a7\n"},
      {"alias of nothing", "a: *b\n"},
      {"cycle of a map", "x-a: &a {b: *a}\n"},
      {"cycle of a list", "x-a: &a [*a]\n"},
      {"cycle by a merge", "x-a: &a {<<: *a}\n"},
      {"merge of a scalar", "x-a: &a 5\n<<: *a\n"},
      {"merge of a list of scalars", "<<: [1, 2]\n"},
      {"merge of text", "<<: text\n"},
      {"two merges", "x-a: &a {x-b: 1}\n<<: *a\n<<: *a\n"},
      {"duplicate key", '{' + good + ", " + key + ": 1}\n"},
      {"duplicate in quotes", '{' + good + ", \"" + key + "\": 1}\n"},
      {"duplicate by escape", '{' + good + ", \"\\x" +
                                  [&] {
                                    char hex[3];
                                    std::snprintf(hex, sizeof hex, "%02x",
                                                  static_cast<unsigned>(key[0]));
                                    return std::string(hex);
                                  }() +
                                  key.substr(1) + "\": 1}\n"},
      {"deep list", extra(times(100, "[") + times(100, "]"))},
      {"deep map", extra(times(100, "{a: ") + "1" + times(100, "}"))},
      {"very deep", extra(times(100000, "["))},
      {"deep block", times(500, "- ") + "1\n"},
      {"many values", extra("[" + times(120000, "0,") + "0]")},
      {"two documents", whole + "---\n" + whole},
      {"text after the document", whole + "...\nmore\n"},
      {"a directive of another version", "%YAML 9.9\n---\n[\n"},
      {"a tag of a program", extra("!!python/object/apply:os.system [id]")},
      {"map as key", "? {a: 1}\n: 2\n"},
      {"1 MiB and a byte", whole + '#' + std::string((1U << 20U) - whole.size(), 'x')},
      // Not read as a whole, so it has no lines.
      {"16 MiB", whole + '#' + std::string(16U << 20U, 'x'), nullptr, {}, false},
      {"JSON cut", R"({"a": [1, )"},
      {"JSON twice", "// c\n{} {}"},
      {"JSON and a comment that doesn't end", "{\"a\": 1} /* "},
      {"1 MiB", whole + '#' + std::string((1U << 20U) - whole.size() - 1, 'x'),
       "a file may have 1 MiB"},
      {"anchor twice", "{x-a: &a 1, x-b: &a 2, x-c: *a, " + good + "}\n",
       "YAML lets an anchor be defined anew"},
      {"carriage returns", std::regex_replace(whole, std::regex("\n"), "\r\n"),
       "a line may end so"},
      {"long key", '{' + good + ", x-" + std::string(900, 'k') + ": 1}\n",
       "simple keys may have 1024 characters"},
      {"numbers of every spelling",
       extra(
           "[010, 0x1F, 0o17, 0b1, 1e999, .inf, -.NaN, 12:30:00, 1_000, +1, 99999999999999999999]"),
       "nobody reads what stands under x-"},
  };
  const auto special = [&](std::string name, std::function<void(const std::string&)> make) {
    all.push_back({std::move(name), whole, nullptr, std::move(make), false});
  };
  special("folder", [](const std::string& path) { fs::create_directory(path); });
  special("FIFO", [](const std::string& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); });
  special("device that never ends", [](const std::string& path) {
    ASSERT_EQ(::mknod(path.c_str(), S_IFCHR | 0600U, makedev(1, 5)), 0);
  });
  special("link to a device",
          [](const std::string& path) { fs::create_symlink("/dev/zero", path); });
  special("link to itself", [](const std::string& path) { fs::create_symlink(path, path); });
  special("world-writable", [whole](const std::string& path) {
    write_file(path, whole);
    ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  });
  special("writable by its group", [whole](const std::string& path) {
    write_file(path, whole);
    ASSERT_EQ(::chmod(path.c_str(), 0664), 0);
  });
  special("of another user", [whole](const std::string& path) {
    write_file(path, whole);
    ASSERT_EQ(::chown(path.c_str(), 1234, 0), 0);
  });
  special("link to a file of another user", [whole](const std::string& path) {
    write_file("/run/theirs", whole);
    ASSERT_EQ(::chown("/run/theirs", 1234, 0), 0);
    fs::create_symlink("/run/theirs", path);
  });
  special("link through a folder of another user", [whole](const std::string& path) {
    fs::create_directories("/run/folder");
    write_file("/run/folder/ours", whole);
    ASSERT_EQ(::chown("/run/folder", 1234, 0), 0);
    fs::create_symlink("/run/folder/ours", path);
  });
  all.push_back({"link to a file of root", whole, "links are followed, each by the same rules",
                 [whole](const std::string& path) {
                   write_file("/run/ours", whole);
                   fs::create_symlink("/run/ours", path);
                 }});
  return all;
}

class HostileSettings : public HostTest {
 protected:
  HostileSettings() {
    Sandbox::keep_etc();
    fs::create_directories("/etc/unicni/chains");
    network_ = mynet_1_0();
    network_["cniVersion"] = "1.1.0";
  }
  /// Calls `look` with the Output of an ADD for each file at `path`, one after the other.
  void try_each(const std::vector<Hostile>& files, const std::string& path, const Json& config,
                const std::function<void(const Json&, const Hostile&)>& look) {
    const Attachment there = attachment(network_, "there");
    const Json result = must_add(there);
    fs::create_directories(fs::path(path).parent_path());
    for (const Hostile& each : files) {
      SCOPED_TRACE(each.name);
      if (each.make) {
        each.make(path);
      } else {
        write_file(path, each.text);
      }
      const Attachment job = attachment(config, "c" + std::to_string(++count_));
      const Output add = job.add();
      EXPECT_LT(add.ms, 5000);
      if (each.why_taken != nullptr) {
        EXPECT_TRUE(add.ok()) << each.why_taken << add.str();
        expect_silent_success(job.del());
      } else {
        const Json error = expect_error(add);
        look(error, each);
        EXPECT_FALSE(container_of(job).succeeds({"ip", "link", "show", "eth0"}));
      }
      EXPECT_THAT(files_in(kJournals), ::testing::SizeIs(1));
      expect_silent_success(there.check(result));
      expect_silent_success(there.gc(Json::array({valid_entry(there)})));
      fs::remove_all(path);
      for (const char* left : {"/run/theirs", "/run/ours", "/run/folder"}) fs::remove_all(left);
    }
    expect_silent_success(there.del(result));
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
  static void expect_place(const Json& error, const std::string& path) {
    const auto msg = error["msg"].get<std::string>();
    EXPECT_TRUE(std::regex_search(msg, std::regex('^' + path + ":[0-9]+:[0-9]+: "))) << msg;
  }

  Json network_;
  int count_ = 0;
};

TEST_F(HostileSettings, Policies) {
  constexpr const char* kPath = "/etc/unicni/policy.d/a.yaml";
  std::vector<Hostile> files = of_yaml("rules: [{match: {pod: never}, deny: x}]", "rules");
  // Of these a policy takes some that a chain doesn't: it has nothing that it must have.
  for (Hostile& each : files) {
    if (each.name == "anchor twice") each.text = "x-a: &a 1\nx-b: &a 2\nrules: []\n";
  }
  const auto wrong = [&](const std::string& text) { files.push_back({text, text}); };
  for (const char* text : {"rules: {}",
                           "rules: 5",
                           "rules: [5]",
                           "rules: [[]]",
                           "modules: []",
                           "modules: {exec: no}",
                           "Rules: []",
                           "rules: [{name: [a], deny: x}]",
                           "rules: [{match: [], deny: x}]",
                           "rules: [{match: {pod: {a: 1}}, deny: x}]",
                           "rules: [{match: {labels: a}, deny: x}]",
                           "rules: [{deny: {a: b}}]",
                           "rules: [{onMissing: maybe, deny: x}]",
                           "rules: [{override: {type: ptp}}]",
                           "rules: [{override: {prevResult: {}}}]",
                           "rules: [{override: {mtu: 010}}]",
                           "rules: [{override: {mtu: 1e999}}]",
                           "rules: [{override: {mtu: 99999999999999999999}}]",
                           "rules: [{override: {mtu: -1}}]",
                           "rules: [{require: {mtu: {max: 0x10}}}]",
                           "rules: [{require: {mtu: {max: 1.5}}}]",
                           "rules: [{require: {mtu: {max: 12:30}}}]",
                           "rules: [{require: {mtu: {max: 9223372036854775808}}}]",
                           "rules: [{require: {mtu: {max: 9007199254740993Ti}}}]",
                           "rules: [{append: [[]]}]",
                           "rules: [{append: [{}]}]",
                           "rules: [{append: [{type: a/b}]}]"}) {
    wrong(text);
  }
  ASSERT_GE(files.size(), 90U);
  try_each(files, kPath, network_, [&](const Json& error, const Hostile& file) {
    EXPECT_EQ(error["code"], 121) << error.dump();
    if (file.has_place) expect_place(error, kPath);
  });
}

TEST_F(HostileSettings, Chains) {
  constexpr const char* kPath = "/etc/unicni/chains/hostile.yaml";
  std::vector<Hostile> files = of_yaml(
      "plugins: [{type: bridge, bridge: cni1, ipam: {type: host-local, subnet: 10.9.0.0/24}}]",
      "plugins");
  for (const char* text :
       {"plugins: []", "plugins: {}", "plugins: [5]", "plugins: [{}]", "plugins: [{type: a/b}]",
        "plugins: [{type: ..}]", "plugins: [{type: [bridge]}]",
        "name: other\nplugins: [{type: tuning}]", "plugins: [{type: bridge, mtu: 010}]",
        "plugins: [{type: bridge, mtu: 1_}]", "plugins: [{type: bridge, isGateway: 1}]",
        "cniVersion: [1]\nplugins: [{type: tuning}]"}) {
    files.push_back({text, text});
  }
  const Json wrapper = {
      {"cniVersion", "1.1.0"}, {"name", "hostile"}, {"type", "unicni"}, {"chain", "hostile"}};
  try_each(files, kPath, wrapper, [&](const Json& error, const Hostile& file) {
    EXPECT_THAT(error["code"].get<int>(), AnyOf(6, 7, 121)) << error.dump();
    if (file.has_place) expect_place(error, kPath);
  });
}

}  // namespace
}  // namespace unicni::test::hostile_settings_test
