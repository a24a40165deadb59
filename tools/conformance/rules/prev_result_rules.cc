// prevResult: what a plugin takes, and that it hands it on.
#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

/// Without what may be written in two ways: empty lists and an empty dns.
nlohmann::json plain(const Json& result) {
  nlohmann::json all = result;
  for (auto each = all.begin(); each != all.end();) {
    each = each->is_structured() && each->empty() ? all.erase(each) : std::next(each);
  }
  return all;
}

void handed_on(Trial& t) {
  for (const std::string& version : t.versions("0.3.0")) {
    Attachment job = t.attachment(version);
    Json prev = job.config.value("prevResult", Json());
    if (prev.is_null()) {
      Json ip = {{"address", "10.1.2.3/24"}, {"gateway", "10.1.2.1"}, {"interface", 0}};
      if (version < "1") ip["version"] = "4";
      prev = {
          {"cniVersion", version},
          {"interfaces",
           Json::array({{{"name", "eth0"}, {"mac", "02:00:00:00:00:01"}, {"sandbox", job.netns}}})},
          {"ips", Json::array({ip})}};
    }
    prev["dns"] = {{"nameservers", {"192.0.2.53"}}, {"search", {"example.net"}}};
    prev["routes"].push_back({{"dst", "10.9.0.0/16"}, {"gw", "10.1.2.1"}});
    if (version >= "1.1") {
      prev["routes"].back()["priority"] = 7;
      prev["interfaces"][0]["mtu"] = 1400;
    }
    job.config["prevResult"] = prev;
    const Json result = t.must_add(job);
    t.expect(plain(result) == plain(prev), "ADD-04",
             "prevResult is handed on: from " + prev.dump() + " to " + result.dump());
  }
}

/// ADD with a prevResult that another plugin might have printed in another form.
void same_family(Trial& t) {
  const bool knows_new = t.subject().supports_from("1.1.0");
  const std::string version = knows_new ? "1.0.0" : "0.4.0";
  const std::string other = knows_new ? "1.1.0" : "0.3.1";
  Attachment job = t.attachment(version);
  if (!job.config.contains("prevResult")) {
    Json ip = {{"address", "192.0.2.7/24"}};
    if (!knows_new) ip["version"] = "4";
    job.config["prevResult"] = {{"ips", Json::array({ip})}};
  }
  job.config["prevResult"]["cniVersion"] = other;
  t.succeeds("PREV-01", t.add(job), "ADD in " + version + " with a prevResult of " + other);
}

void unusable(Trial& t) {
  for (const char* prev : {"5", R"("x")", "[]", R"({"ips": [{"address": "nonsense"}]})",
                           R"({"cniVersion": "9.9.9"})"}) {
    Attachment job = t.attachment();
    job.config["prevResult"] = Json::parse(prev);
    t.fails("PREV-01", t.add(job), std::string("ADD with prevResult ") + prev);
  }
}

void without_version(Trial& t) {
  Attachment job = t.attachment();
  if (!job.config.contains("prevResult")) {
    job.config["prevResult"] = {{"ips", Json::array({{{"address", "192.0.2.7/24"}}})}};
  }
  job.config["prevResult"].erase("cniVersion");
  t.succeeds("PREV-02", t.add(job), "ADD with a prevResult without cniVersion");
}

void null_is_none(Trial& t) {
  Attachment job = t.attachment();
  job.config["prevResult"] = nullptr;
  t.succeeds("PREV-02", t.add(job), "ADD with prevResult null, which is none");
}

void is_needed(Trial& t) {
  Attachment job = t.attachment();
  job.config.erase("prevResult");
  t.fails("PREV-03", t.add(job), "ADD of a chained plugin without prevResult");
}

bool stands_first(const Subject& subject) { return !chained(subject); }

const Check kChecks[] = {
    {"ADD-04", "prevResult is handed on", Level::must, "0.3.0", &hands_on, &handed_on},
    {"PREV-01", "a prevResult of a related version is taken", Level::must, "0.4.0", &every,
     &same_family},
    {"PREV-01", "a prevResult that is none is refused", Level::must, "0.3.0", &hands_on, &unusable},
    {"PREV-01", "who needs no prevResult refuses a wrong one too", Level::may, "0.3.0",
     [](const Subject& s) { return !hands_on(s); }, &unusable},
    {"PREV-02", "a prevResult without version has the configuration's", Level::must, "1.0.0",
     &every, &without_version},
    {"PREV-02", "a prevResult that is null is none", Level::must, "0.3.0", &stands_first,
     &null_is_none},
    {"PREV-03", "a chained plugin needs prevResult", Level::must, "0.3.0", &chained, &is_needed},
};

}  // namespace

std::span<const Check> prev_result_rules() { return kChecks; }

}  // namespace unicni::conformance
