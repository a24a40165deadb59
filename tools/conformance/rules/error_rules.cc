// What is printed, on success and on failure.
#include <algorithm>
#include <utility>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

/// Errors that every plugin can be brought to, each with its code.
struct Provoked {
  std::string doing;
  Output output;
  int code;
};

std::vector<Provoked> provoke(Trial& t) {
  std::vector<Provoked> errors;
  Attachment job = t.attachment("9.9.9");
  errors.push_back({"an unknown version", t.add(job), 1});
  job = t.attachment();
  errors.push_back({"an unknown command", t.call(job, "NOPE", job.config), 4});
  Spawn broken = t.spawn(job, "ADD", job.config);
  broken.in = "{";
  errors.push_back({"a broken configuration", t.call(broken), 6});
  job.config["name"] = "a/b";
  errors.push_back({"a bad name", t.add(job), 7});
  return errors;
}

/// Of errors that are objects; Blocked if there is none.
std::vector<std::pair<Provoked, Json>> error_objects(Trial& t) {
  std::vector<std::pair<Provoked, Json>> objects;
  for (Provoked& each : provoke(t)) {
    const Json error = parse_json(each.output.out);
    if (!each.output.ok() && error.is_object()) objects.emplace_back(std::move(each), error);
  }
  if (objects.empty()) throw Blocked("no wrong call is answered by an error object");
  return objects;
}

void one_object(Trial& t) {
  const Attachment job = t.attachment();
  const Output output = t.add(job);
  if (!output.ok()) throw Blocked("ADD: " + output.str());
  t.expect(parse_json(output.out).is_object(), "OUT-01",
           "ADD prints exactly one JSON object: " + output.str());
}

void silent(Trial& t) {
  const Attachment job = t.attachment();
  const Json result = t.must_add(job);
  int succeeded = 0;
  const auto expect_silence = [&](const Output& output, const char* verb) {
    if (!output.ok()) return;  // what must succeed is for other checks to say
    ++succeeded;
    t.expect(output.out.empty(), "OUT-02", std::string(verb) + " prints nothing: " + output.str());
  };
  if (t.subject().supports_from("0.4.0")) expect_silence(t.check(job, result), "CHECK");
  expect_silence(t.del(job, result), "DEL");
  if (t.subject().supports_from("1.1.0")) {
    expect_silence(t.status(t.nobody()), "STATUS");
    expect_silence(t.gc(t.nobody(), Json::array()), "GC");
  }
  if (succeeded == 0) throw Blocked("none of them succeeds");
}

void one_error(Trial& t) {
  int failures = 0;
  for (const Provoked& each : provoke(t)) {
    if (each.output.ok()) continue;  // its own check says so
    ++failures;
    t.expect(parse_json(each.output.out).is_object(), "OUT-03",
             "the error of " + each.doing + " is one JSON object: " + each.output.str());
  }
  if (failures == 0) throw Blocked("no wrong call fails");
}

void keys(Trial& t) {
  for (const auto& [each, error] : error_objects(t)) {
    const bool good = error.contains("code") && error["code"].is_number_unsigned() &&
                      error.contains("msg") && error["msg"].is_string() && error["msg"] != "" &&
                      (!error.contains("details") || error["details"].is_string());
    t.expect(good, "ERR-01",
             "an error has a number code, a text msg and at most a text details: " + error.dump());
    t.expect(error.contains("cniVersion") && error["cniVersion"].is_string(), "ERR-01",
             "an error has a cniVersion: " + error.dump());
  }
}

void version_of_errors(Trial& t) {
  int versions = 0;
  for (const std::string& version : t.versions()) {
    Attachment job = t.attachment(version);
    job.config["name"] = "a/b";
    const Json error = parse_json(t.add(job).out);
    if (!error.is_object() || !error.contains("cniVersion")) continue;
    ++versions;
    t.expect(error["cniVersion"] == version, "ERR-01",
             "an error's cniVersion is the configuration's " + version + ": " + error.dump());
  }
  if (versions == 0) throw Blocked("no error for a bad name has a cniVersion");
}

void codes(Trial& t) {
  for (const auto& [each, error] : error_objects(t)) {
    if (!error.contains("code")) continue;  // ERR-01's
    t.expect(error["code"] == each.code, "ERR-02",
             each.doing + " has code " + std::to_string(each.code) + ": " + error.dump());
  }
}

const Check kChecks[] = {
    {"OUT-01", "ADD prints one JSON object", Level::must, "0.1.0", &every, &one_object},
    {"OUT-02", "CHECK DEL GC and STATUS print nothing", Level::must, "0.1.0", &every, &silent},
    {"OUT-03", "a failure prints one JSON object on stdout", Level::must, "0.1.0", &every,
     &one_error},
    {"ERR-01", "errors have their keys and types", Level::should, "0.1.0", &every, &keys},
    {"ERR-01", "errors are of the configuration's version", Level::should, "0.1.0", &every,
     &version_of_errors},
    {"ERR-02", "errors have the codes of the specification", Level::must, "0.1.0", &every, &codes},
};

}  // namespace

std::span<const Check> error_rules() { return kChecks; }

}  // namespace unicni::conformance
