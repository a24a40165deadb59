// VERSION, and what becomes of a configuration's version.
#include <unistd.h>

#include <algorithm>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

const std::vector<std::string> kVersionAlone = {"CNI_COMMAND=VERSION"};

bool is_list_of_versions(const Json& list) {
  return list.is_array() && !list.empty() &&
         std::all_of(list.begin(), list.end(), [](const Json& each) { return each.is_string(); });
}

void alone(Trial& t) {
  const Output output = t.bare(kVersionAlone);
  if (!t.succeeds("VERN-01", output, "VERSION with no other variable")) return;
  const Json answer = parse_json(output.out);
  const bool object = answer.is_object() && answer.contains("cniVersion") &&
                      answer["cniVersion"].is_string() && answer.contains("supportedVersions");
  t.expect(object, "VERN-01",
           "VERSION prints an object with cniVersion and supportedVersions: " + output.str());
}

void echo(Trial& t) {
  for (const std::string& version : t.subject().versions()) {
    const Output output = t.bare(kVersionAlone, Json{{"cniVersion", version}}.dump());
    const Json answer = parse_json(output.out);
    t.expect(answer.is_object() && answer.value("cniVersion", Json()) == version, "VERN-02",
             "VERSION asked in " + version + " answers in it: " + output.str());
  }
}

void any_stdin(Trial& t) {
  const Output usual = t.bare(kVersionAlone, "{}");
  if (!usual.ok() || !parse_json(usual.out).is_object()) throw Blocked("VERSION: " + usual.str());
  for (const char* in :
       {"", "{", "null", "[1]", R"({"cniVersion": 5})", R"({"cniVersion": "9.9.9"})"}) {
    t.succeeds("VERN-03", t.bare(kVersionAlone, in),
               std::string("VERSION with \"") + in + "\" on stdin");
  }
  Spawn closed = t.bare_spawn(kVersionAlone);
  closed.closed = {STDIN_FILENO};
  t.succeeds("VERN-03", t.call(closed), "VERSION with stdin closed");
}

void supported_work(Trial& t) {
  const Output output = t.bare(kVersionAlone);
  const Json answer = parse_json(output.out);
  if (!answer.is_object() || !answer.contains("supportedVersions")) {
    throw Blocked("VERSION: " + output.str());
  }
  if (!t.expect(is_list_of_versions(answer["supportedVersions"]), "VERN-04",
                "supportedVersions is a list of texts with at least one: " + output.str())) {
    return;
  }
  for (const std::string& version : t.versions()) {
    const Attachment job = t.attachment(version);
    const Output added = t.add(job);
    if (!t.succeeds("VERN-04", added, "ADD in the supported version " + version)) continue;
    const Json result = parse_json(added.out);
    if (!result.is_object()) continue;  // OUT-01's
    t.expect(result.value("cniVersion", Json()) == version, "ADD-03",
             "the result of ADD in " + version + " is of that version: " + added.str());
    t.del(job, result);
  }
}

void exact(Trial& t) {
  for (const char* version : {"1.0", "0.4", "1", "0.4.00"}) {
    t.fails("VERN-07", t.add(t.attachment(version)),
            std::string("ADD with cniVersion \"") + version + '"', 1);
  }
}

void unknown(Trial& t) {
  const Attachment job = t.attachment("9.9.9");
  const State before = t.around(job);
  const Json error = t.fails("VERN-08", t.add(job), "ADD with cniVersion 9.9.9", 1);
  if (error.empty()) return;
  const std::string text = error.value("msg", "") + error.value("details", "");
  const bool both = text.find("9.9.9") != text.npos && text.find(t.subject().newest()) != text.npos;
  t.expect(both, "VERN-08",
           "the error has the wanted version and the supported ones: " + error.dump());
  t.same("VERN-08", before, t.around(job), "a refused ADD changes nothing");
}

const Check kChecks[] = {
    {"VERN-01", "VERSION needs no variable but CNI_COMMAND", Level::must, "0.1.0", &every, &alone},
    {"VERN-02", "VERSION answers in the version it is asked in", Level::must, "0.1.0", &every,
     &echo},
    {"VERN-03", "VERSION does not depend on stdin", Level::must, "0.1.0", &every, &any_stdin},
    {"VERN-04 ADD-03 RES-02", "every supported version works and is the result's", Level::must,
     "0.1.0", &every, &supported_work},
    {"VERN-07", "a version is the same only if its text is", Level::must, "0.1.0", &every, &exact},
    {"VERN-08", "an unknown version is refused with code 1 and both sides' versions", Level::must,
     "0.1.0", &every, &unknown},
};

}  // namespace

std::span<const Check> version_rules() { return kChecks; }

}  // namespace unicni::conformance
