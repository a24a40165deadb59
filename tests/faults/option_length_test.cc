// Text of any length in every place of a configuration that takes text: DEL, CHECK and GC answer as
// the protocol wants it, whatever the options say. The places are those of config/schema.
//
// A sample that the seed ($UNICNI_FAULTS_SEED, else the clock) picks; $UNICNI_FAULTS_ALL: every
// place with every length and verb.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "faults/attached_by_hand.h"
#include "integration/host_test.h"

namespace unicni::test::option_length_test {
namespace {

constexpr std::size_t kLengths[] = {0,   1,   15,  16,   28,    29,    127,   128,    254,   255,
                                    256, 257, 511, 4096, 65530, 65536, 65540, 131072, 200000};
constexpr const char* kVerbs[] = {"DEL", "CHECK", "GC"};
constexpr std::size_t kLongest = 200000;

unsigned seed() {
  if (const char* given = std::getenv("UNICNI_FAULTS_SEED")) {
    return static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  }
  return static_cast<unsigned>(std::chrono::system_clock::now().time_since_epoch().count());
}

/// Where a text goes: as a value, or as the key of an object.
struct Place {
  Json::json_pointer at;
  bool is_key;
};

bool has_type(const Json& schema, const char* type) {
  const Json types = schema.value("type", Json());
  if (types.is_string()) return types == type;
  return types.is_array() && std::find(types.begin(), types.end(), type) != types.end();
}

void find_places(const Json& schema, const Json::json_pointer& at, std::vector<Place>& places) {
  if (has_type(schema, "string")) places.push_back({at, false});
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [key, value] : properties.items()) {
    if (key != "cniVersion" && key != "type") find_places(value, at / key, places);
  }
  if (schema.contains("items")) find_places(schema["items"], at / 0, places);
  const Json more = schema.value("additionalProperties", Json());
  if (more.is_object()) {
    find_places(more, at / "net.ipv4.conf.IFNAME.arp_filter", places);
    places.push_back({at, true});
  }
}

std::vector<std::string> types() {
  std::vector<std::string> found;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(UNICNI_SOURCE_DIR) + "/config/schema")) {
    const std::string type = file.path().stem();  // or what administrators write: chains, policies
    if (exists(std::string(UNICNI_SOURCE_DIR) + "/modules/" + type)) found.push_back(type);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Json source(const std::string& path) {
  return Json::parse(read_file(std::string(UNICNI_SOURCE_DIR) + '/' + path));
}

/// The plugin of the module's example, alone.
Json example(const std::string& type) {
  Json config = {{"type", type}};
  const Json list = source("modules/" + type + "/example.conflist");
  for (const Json& plugin : list["plugins"]) {
    if (plugin["type"] == type) config = plugin;
  }
  config["cniVersion"] = "1.1.0";
  config["name"] = "net";
  return config;
}

class OptionLength : public HostTest {
 protected:
  /// Chains that names in options may be compared with, and an interface with an address.
  void SetUp() override {
    for (const char* flavour : {"iptables-nft", "iptables-legacy"}) {
      tool({flavour, "-P", "FORWARD", "DROP"});
      for (const char* chain : {"CNI-FORWARD", "CNI-ADMIN"}) tool({flavour, "-N", chain});
      tool({flavour, "-A", "CNI-FORWARD", "-j", "CNI-ADMIN"});
      tool({flavour, "-A", "CNI-FORWARD", "-s", "10.1.2.3/32", "-j", "ACCEPT"});
    }
    prev_result_ = attach_by_hand(container());
  }

  void try_one(const std::string& type, const Place& place, std::size_t length,
               const std::string& verb) {
    const std::string where = verb + ' ' + type + ' ' + place.at.to_string() +
                              (place.is_key ? "/<key> of " : " of ") + std::to_string(length) +
                              " bytes";
    const std::string text(length, 'n');
    Json config = example(type);
    try {
      if (!place.is_key) config[place.at] = text;
      if (place.is_key) config[place.at] = Json{{text, "1"}};
    } catch (const Json::exception&) {
      return;  // the example has something else there
    }
    const bool gc = verb == "GC";
    const Attachment job{.config = config,
                         .netns = gc ? "" : containers_.front().path(),
                         .container_id = gc ? "" : "c1",
                         .if_name = gc ? "" : "eth0",
                         .type = type};
    if (!gc) config["prevResult"] = prev_result_;
    if (gc) config["cni.dev/valid-attachments"] = Json::array();
    const Output output = job.call(verb, config);
    ++count_;
    EXPECT_EQ(output.signal, 0) << where << output.err.substr(0, 2000);
    EXPECT_TRUE(output.status == 0 || output.status == 1) << where << ": " << output.status;
    EXPECT_EQ(output.err.find("Sanitizer"), std::string::npos) << where << output.err;
    if (output.status == 0) {
      EXPECT_EQ(output.out, "") << where;
    } else {
      const Json error = output.json();
      EXPECT_GT(error.value("code", 0), 0) << where;
      EXPECT_NE(error.value("msg", ""), "") << where;
    }
  }

  Json prev_result_;
  std::size_t count_ = 0;
};

TEST_F(OptionLength, OfAnyOptionBreaksNothing) {
  const unsigned start = seed();
  SCOPED_TRACE("UNICNI_FAULTS_SEED=" + std::to_string(start));
  std::mt19937 random(start);
  const bool all = std::getenv("UNICNI_FAULTS_ALL") != nullptr;
  for (const std::string& type : types()) {
    std::vector<Place> places{{Json::json_pointer("/name"), false}};
    find_places(source("config/schema/" + type + ".json"), Json::json_pointer(), places);
    for (const Place& place : places) {
      for (const char* verb : kVerbs) {
        for (const std::size_t length : kLengths) {
          const bool chosen = random() % std::size(kLengths) == 0 ||
                              (length == kLongest && random() % std::size(kVerbs) == 0);
          if (all || chosen) try_one(type, place, length, verb);
        }
      }
    }
  }
  EXPECT_GT(count_, 100U);
}

/// A chain of such a name can't be there, and the rest of the DEL is done all the same.
TEST_F(OptionLength, DelWithAnImpossibleChainSucceedsWithAWarning) {
  for (const std::size_t length : kLengths) {
    Json config = example("firewall");
    config["iptablesAdminChainName"] = std::string(length, 'n');
    config["prevResult"] = prev_result_;
    const Attachment job{.config = config, .netns = containers_.front().path()};
    const Output output = job.call("DEL", config);
    EXPECT_EQ(output.status, 0) << length << output.str();
    EXPECT_EQ(output.out, "") << length;
    const bool possible = length >= 1 && length <= 28;
    EXPECT_EQ(output.err.find("iptablesAdminChainName") == std::string::npos, possible) << length;
  }
  EXPECT_EQ(tool({"iptables-nft", "-S"}).out.find("10.1.2.3"), std::string::npos)
      << "the attachment's rule went";
}

}  // namespace
}  // namespace unicni::test::option_length_test
