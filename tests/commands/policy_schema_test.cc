// config/schema/policy.json refuses what the reader of policies refuses, and nothing else. For each
// place where a policy has a value both are asked about values of all kinds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "command.h"
#include "support/sandbox.h"

namespace unicni::test::policy_schema_test {
namespace {

constexpr const char* kPolicy = "/run/policy.yaml";
const std::string kSchema = UNICNI_SOURCE_DIR "/config/schema/policy.json";

/// Policies are written as JSON: what a plain word of YAML is, the reader knows better than a
/// schema.
class PolicySchema : public ::testing::Test {
 protected:
  static std::vector<bool> by_schema(const Json& documents) {
    const Output output =
        run({.argv = {"/usr/bin/python3", UNICNI_SOURCE_DIR "/tests/commands/schema_oracle.py",
                      kSchema},
             .env = {},
             .in = documents.dump()});
    EXPECT_EQ(output.status, 0) << output.str();
    return output.json().get<std::vector<bool>>();
  }

  /// One rule a line, so that a line's number says which.
  static void judge(const std::vector<Json>& rules, std::size_t from, std::size_t to,
                    std::vector<bool>& verdicts) {
    std::string text = "{\"rules\": [";
    for (std::size_t i = from; i < to; ++i) {
      text += (i == from ? "\n" : ",\n") + rules[i].dump();
    }
    write_file(kPolicy, text + "\n]}");
    const Json report = command("unictl", {"lint", "--json", kPolicy}).json();
    for (const Json& each : report.at("findings")) {
      const std::size_t rule = from + each.at("line").get<std::size_t>() - 2;
      const auto says = [&](const char* words) {
        return each.at("text").get<std::string>().find(words) != std::string::npos;
      };
      // Of a plugin an ADD passes over a key that nobody knows, and refuses what lacks one.
      const bool is_passed_over = rules.at(rule).contains("append") && says(": unknown key");
      // A pattern or a limit that can never hold is written as any other, and an ADD takes it.
      const bool is_vain = says(" matches nothing") || says(", so it allows none") ||
                           says(": no port is ") || says(": \"max\" is no limit");
      const bool is_error = each.at("severity") == "error" && !is_passed_over && !is_vain;
      if (is_error || says(": missing, ")) verdicts.at(rule) = false;
    }
  }
  /// Of a file with very many findings not all are told.
  static std::vector<bool> by_reader(const std::vector<Json>& rules) {
    constexpr std::size_t kAtOnce = 300;
    std::vector<bool> verdicts(rules.size(), true);
    for (std::size_t from = 0; from < rules.size(); from += kAtOnce) {
      judge(rules, from, std::min(from + kAtOnce, rules.size()), verdicts);
    }
    return verdicts;
  }

  static void compare(const std::vector<Json>& rules) {
    Json documents = Json::array();
    for (const Json& rule : rules) documents.push_back({{"rules", Json::array({rule})}});
    const std::vector<bool> schema = by_schema(documents);
    const std::vector<bool> reader = by_reader(rules);
    ASSERT_EQ(schema.size(), reader.size());
    std::set<bool> seen;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      EXPECT_EQ(schema[i], reader[i]) << "of the schema and of the reader: " << rules[i].dump();
      seen.insert(reader[i]);
    }
    EXPECT_EQ(seen.size(), 2U) << "something is taken, something refused";
  }

  Sandbox sandbox_;
};

/// Of every kind, some right and some nearly so.
const Json kValues = Json::parse(R"([
  null, true, false, 0, 1, -1, 1.5, 1400, 65536, 4294967296, 9223372036854775807, 1e30,
  "", "x", "no", "1400", "-1", "0M", "1k", "2Ki", "10M", "5Mi", "1_0M", "8000000T",
  "1ki", "1__0M", "1_M", "_1M", "01M", "M", "1 M", "1Mb", "1.5M", "-1M",
  "10.0.0.1", "10.0.0.0/24", "fd00::1", "02:00:00:00:00:01", "a.*",
  [], [null], [""], ["x"], [1], [true], [[]], ["10.0.0.1"], ["10.0.0.0/24"], ["10M"], {}, [{}],
  {"a": "x"}, {"a": 1}, {"a": null}, {"min": 1}, {"max": "100M"}, {"min": "1.5M"}, {"max": -1},
  {"max": null}, {"min": "1k", "max": "1Ki"}, {"most": 1}
])");

using Pointer = Json::json_pointer;

bool takes(const Json& schema, const char* type) {
  const Json types = schema.value("type", Json());
  return types.is_array() ? std::count(types.begin(), types.end(), type) > 0 : types == type;
}

/// The least that a schema of an object asks for.
Json least(const Json& schema) {
  if (schema.contains("const")) return schema["const"];
  if (takes(schema, "object")) {
    Json object = Json::object();
    const Json required = schema.value("required", Json::array());
    for (const Json& key : required) {
      object[key.get<std::string>()] = least(schema["properties"][key.get<std::string>()]);
    }
    return object;
  }
  if (takes(schema, "integer")) return schema.value("minimum", 1);
  if (takes(schema, "array")) return Json::array();
  return schema.contains("pattern") ? "10.0.0.0/24" : schema.contains("anyOf") ? "10.0.0.1" : "x";
}

/// All places below `at`, each with an object around it that is right otherwise.
void add_places(const Json& schema, const Json& around, const Pointer& at,
                std::vector<Json>& rules) {
  const auto put = [&](const Json& value, const Pointer& where) {
    Json plugin = around;
    plugin[where] = value;
    rules.push_back({{"append", Json::array({std::move(plugin)})}});
  };
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [key, inner] : properties.items()) {
    static const std::set<std::string> kEnvelope = {"cniVersion", "name", "type", "capabilities",
                                                    "ipam"};
    if (at.empty() && kEnvelope.contains(key) && key != "ipam") continue;
    if (key == "type") continue;
    const Pointer where = at / key;
    if (key != "ipam") {
      for (const Json& value : kValues) put(value, where);
    }
    if (takes(inner, "object")) {
      Json outer = around;
      if (!outer.contains(where)) outer[where] = least(inner);
      add_places(inner, outer, where, rules);
    } else if (takes(inner, "array") && takes(inner["items"], "object")) {
      Json outer = around;
      outer[where] = Json::array({least(inner["items"])});
      add_places(inner["items"], outer, where / 0, rules);
    }
  }
}

TEST_F(PolicySchema, AgreesWithTheReaderOnOptionsOfAddedPlugins) {
  const Json schema = Json::parse(read_file(kSchema));
  for (const auto& [type, options] : schema.at("$defs").items()) {
    SCOPED_TRACE(type);
    Json plugin = least(options);
    if (plugin["type"] == "x") plugin["type"] = "bridge";  // which asks the IPAM
    std::vector<Json> rules = {{{"append", Json::array({plugin})}}, {{"append", 1}}};
    add_places(options, plugin, Pointer(), rules);
    compare(rules);
  }
}

TEST_F(PolicySchema, AgreesWithTheReaderOnRules) {
  std::vector<Json> rules;
  for (const Json& value : kValues) {
    for (const char* const key : {"name", "match", "deny", "defaults", "override", "prepend",
                                  "append", "require", "onMissing"}) {
      Json rule = {{"name", "x"}};
      rule[key] = value;
      // What is inside an object is looked at below.
      if (!value.is_object() || value.empty()) rules.push_back(rule);
    }
    for (const char* const key :
         {"network", "type", "namespace", "pod", "interface", "labels", "onMissing"}) {
      rules.push_back({{"match", {{key, value}}}});
    }
    for (const char* const key : {"mtu", "master", "hostPort", "hostIP", "sysctl", "egressRate",
                                  "ingressRate", "ipMasq", "vlanId", "bridge"}) {
      rules.push_back({{"require", {{key, value}}}});
    }
    rules.push_back({{"prepend", Json::array({value})}});
    rules.push_back({{"append", Json::array({{{"type", value}}})}});
  }
  for (const char* const type : {"unicni", "a/b", ".", "..", "other"}) {
    rules.push_back({{"append", Json::array({{{"type", type}, {"x", 1}}})}});
  }
  for (const char* const word : {"deny", "ignore", "denied"})
    rules.push_back({{"onMissing", word}});
  compare(rules);
}

}  // namespace
}  // namespace unicni::test::policy_schema_test
