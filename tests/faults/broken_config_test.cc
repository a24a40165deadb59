// Configurations that somebody or something broke: keys gone, values of other types, long and deep
// ones. DEL, CHECK and GC of each module answer as the protocol wants it and leave other
// attachments alone.
//
// A sample of fixed seeds; $UNICNI_FAULTS_ALL: many more, beginning with $UNICNI_FAULTS_SEED.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "faults/attached_by_hand.h"
#include "integration/host_test.h"

namespace unicni::test::broken_config_test {
namespace {

constexpr const char* kVerbs[] = {"DEL", "CHECK", "GC"};
constexpr unsigned kSample = 14;  ///< configurations of a module, each with every verb
constexpr unsigned kAll = 400;

unsigned first_seed() {
  const char* given = std::getenv("UNICNI_FAULTS_SEED");
  return given == nullptr ? 1 : static_cast<unsigned>(std::strtoul(given, nullptr, 10));
}

unsigned seeds() { return std::getenv("UNICNI_FAULTS_ALL") == nullptr ? kSample : kAll; }

std::vector<std::string> types() {
  std::vector<std::string> found;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(UNICNI_SOURCE_DIR) + "/modules")) {
    if (exists(file.path().string() + "/example.conflist")) found.push_back(file.path().filename());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The example's plugin of that type, or its whole list.
Json example(const std::string& type, bool whole) {
  Json list = Json::parse(
      read_file(std::string(UNICNI_SOURCE_DIR) + "/modules/" + type + "/example.conflist"));
  Json config = {{"type", type}};
  for (const Json& plugin : list["plugins"]) {
    if (plugin["type"] == type) config = plugin;
  }
  if (whole) {
    config = list;
    config["type"] = "unicni";
  }
  config["runtimeConfig"] = {
      {"portMappings", {{{"hostPort", 8080}, {"containerPort", 80}, {"protocol", "tcp"}}}},
      {"bandwidth", {{"ingressRate", 1000}, {"ingressBurst", 80000}}},
      {"mac", "02:00:00:00:00:01"},
      {"ips", {"10.1.2.3/24"}}};
  config["cniVersion"] = "1.1.0";
  config["name"] = "broken";
  return config;
}

class Mutation {
 public:
  explicit Mutation(unsigned seed) : random_(seed) {}

  /// One to four changes; name and type stay, so that there is somebody to ask.
  Json of(Json config) {
    for (std::size_t count = 1 + random_() % 4; count > 0; --count) change(config);
    return config;
  }

 private:
  /// Somewhere in the tree, each level as likely as the next one.
  void change(Json& config) {
    Json* at = &config;
    for (;;) {
      if (at->is_object() && !at->empty()) {
        auto entry = at->begin();
        std::advance(entry, static_cast<std::ptrdiff_t>(random_() % at->size()));
        if (at == &config && (entry.key() == "name" || entry.key() == "type")) return;
        if (goes_deeper(*entry)) {
          at = &*entry;
          continue;
        }
        if (random_() % 3 == 0) {
          at->erase(entry.key());
        } else if (random_() % 6 == 0) {
          (*at)[std::string(1 + random_() % 70000, 'k')] = other();
        } else {
          *entry = other();
        }
      } else if (at->is_array() && !at->empty()) {
        const std::size_t index = random_() % at->size();
        if (goes_deeper((*at)[index])) {
          at = &(*at)[index];
          continue;
        }
        if (random_() % 3 == 0) {
          at->erase(index);
        } else if (random_() % 3 == 0) {
          at->push_back((*at)[index]);
        } else {
          (*at)[index] = other();
        }
      } else {
        *at = other();
      }
      return;
    }
  }
  bool goes_deeper(const Json& value) {
    return value.is_structured() && !value.empty() && random_() % 4 != 0;
  }
  Json other() {
    switch (random_() % 14) {
      case 0:
        return nullptr;
      case 1:
        return random_() % 2 == 0;
      case 2:
        return -1;
      case 3:
        return std::numeric_limits<std::uint64_t>::max();
      case 4:
        return 1e300;
      case 5:
        return "";
      case 6:
        return std::string(1 + random_() % 100000, 'x');
      case 7:
        return std::string("x\0y", 3);
      case 8:
        return "../../etc/%s%n \xc3\xa4\"'\n";
      case 9:
        return Json::array();
      case 10:
        return Json::object();
      case 11:
        return deep(1 + random_() % 400);
      case 12:
        return Json(std::vector<std::string>(random_() % 2000, "10.1.2.3/33"));
      default:
        return {{"type", "host-local"}, {"name", Json::array({1})}};
    }
  }
  Json deep(std::size_t levels) {
    Json value = 1;
    for (; levels > 0; --levels) {
      value = random_() % 2 == 0 ? Json::array({value}) : Json{{"ipam", value}};
    }
    return value;
  }

  std::mt19937 random_;
};

class BrokenConfig : public HostTest {
 protected:
  void SetUp() override {
    prev_result_ = attach_by_hand(container());
    // One on the network that is broken, which only GC may take, and one on another.
    for (const char* name : {"sibling", "other"}) {
      Attachment job = attachment(neighbours(name), name);
      results_.push_back(must_add(job));
      others_.push_back(job);
    }
  }
  static Json neighbours(const std::string& name) {
    Json list = Json::parse(R"({"cniVersion": "1.1.0", "type": "unicni", "plugins": [
      {"type": "bridge", "isGateway": true, "ipMasq": true, "ipam": {"type": "host-local"}},
      {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "firewall"},
      {"type": "tuning", "mtu": 1400},
      {"type": "bandwidth", "ingressRate": 8000000, "ingressBurst": 8000000}]})");
    const bool other = name == "other";
    list["name"] = other ? "whole" : "broken";
    list["plugins"][0]["bridge"] = other ? "br8" : "br9";
    list["plugins"][0]["ipam"]["subnet"] = other ? "10.8.0.0/24" : "10.9.0.0/24";
    list["runtimeConfig"]["portMappings"] = {
        {{"hostPort", other ? 9088 : 9089}, {"containerPort", 80}, {"protocol", "tcp"}}};
    return list;
  }
  void expect_others_well(std::size_t first = 0) {
    for (std::size_t i = first; i < others_.size(); ++i) {
      expect_silent_success(others_[i].check(results_[i]));
    }
  }
  void try_one(const Json& broken, const std::string& verb) {
    const bool gc = verb == "GC";
    const Attachment job{.config = broken,
                         .netns = gc ? "" : containers_.front().path(),
                         .container_id = gc ? "" : "c1",
                         .if_name = gc ? "" : "eth0"};
    Json request = broken;
    if (!gc && !request.contains("prevResult")) request["prevResult"] = prev_result_;
    if (gc && !request.contains("cni.dev/valid-attachments")) {
      request["cni.dev/valid-attachments"] = Json::array({valid_entry(others_[0])});
    }
    const Output output = job.call(verb, request);
    ++count_;
    const std::string said = output.err.substr(0, 2000);
    EXPECT_EQ(output.signal, 0) << said;
    EXPECT_TRUE(output.status == 0 || output.status == 1) << output.status << said;
    EXPECT_EQ(output.err.find("Sanitizer"), std::string::npos) << said;
    EXPECT_LT(output.ms, 5000) << said;
    if (output.status == 0) {
      EXPECT_EQ(output.out, "");
    } else {
      const Json error = output.json();
      EXPECT_GT(error.value("code", 0), 0) << said;
      EXPECT_NE(error.value("msg", ""), "") << said;
    }
  }

  Json prev_result_;
  std::vector<Attachment> others_;
  std::vector<Json> results_;
  std::size_t count_ = 0;
};

TEST_F(BrokenConfig, GetsAnAnswerAndHarmsNobody) {
  for (const std::string& type : types()) {
    for (unsigned seed = first_seed(); seed < first_seed() + seeds(); ++seed) {
      Json config = example(type, seed % 2 == 0);
      // What runtimes send is broken as well, now and then.
      if (seed % 4 == 1) config["prevResult"] = prev_result_;
      if (seed % 4 == 3) {
        config["cni.dev/valid-attachments"] = Json::array({valid_entry(others_[0])});
      }
      const Json broken = Mutation(seed * 131 + static_cast<unsigned>(type.size())).of(config);
      for (const char* verb : kVerbs) {
        // A GC whose list is broken may take it for an empty one.
        if (verb == std::string("GC") && broken.value("cni.dev/valid-attachments", Json()) !=
                                             config.value("cni.dev/valid-attachments", Json())) {
          continue;
        }
        SCOPED_TRACE(std::string(verb) + ' ' + type + ", UNICNI_FAULTS_SEED=" +
                     std::to_string(seed) + ": " + broken.dump().substr(0, 500));
        try_one(broken, verb);
      }
    }
    SCOPED_TRACE("after those of " + type);
    expect_others_well();
    if (HasFailure()) break;
  }
  EXPECT_GT(count_, 500U);
}

}  // namespace
}  // namespace unicni::test::broken_config_test
