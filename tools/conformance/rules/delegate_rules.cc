// What a plugin owes the plugin that it calls.
#include <algorithm>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

constexpr const char* kError =
    R"({"cniVersion": "1.0.0", "code": 120, "msg": "no luck", "details": "at all"})";
constexpr const char* kAddress =
    R"({"ips": [{"version": "4", "address": "10.1.200.77/24", "gateway": "10.1.200.1"}]})";

/// The suite's own IPAM, and attachments that ask it.
class Delegation {
 public:
  explicit Delegation(Trial& t) : trial_(t) { ipam_.answer("ADD", kAddress); }
  Attachment attachment(const std::string& version = {}) {
    Attachment job = trial_.attachment(version);
    job.config["ipam"] = {{"type", "fake-ipam"}};
    return job;
  }
  Attachment nobody() {
    Attachment job = trial_.nobody();
    job.config["ipam"] = {{"type", "fake-ipam"}};
    return job;
  }
  const Recorder& ipam() const { return ipam_; }
  /// For what is asked of a plugin that calls its delegate at all.
  void must_be_called() const {
    if (ipam_.calls().empty()) throw Blocked("the plugin doesn't call its delegate");
  }
  /// The verb of its last call.
  std::string last() const {
    const auto calls = ipam_.calls();
    return calls.empty() ? "nothing" : calls.back().command();
  }

 private:
  Trial& trial_;
  Recorder ipam_{"fake-ipam"};
};

bool has(const Json& error, const std::string& word) {
  return error.dump(-1, ' ', false, Json::error_handler_t::replace).find(word) != std::string::npos;
}

void missing(Trial& t) {
  Attachment job = t.attachment();
  job.config["ipam"] = {{"type", "nobody-has-this"}};
  const Json error = t.fails("DLG-01", t.add(job), "ADD with a delegate that doesn't exist");
  t.expect(error.empty() || has(error, "nobody-has-this"), "DLG-01",
           "the error names the delegate: " + error.dump());
}

/// Calls every verb of one attachment; what the delegate was called with, beside what the plugin
/// was called with.
struct Pair {
  std::string verb;
  Spawn asked;
  RecordedCall got;
};

std::vector<Pair> all_verbs(Trial& t, Delegation& d) {
  Attachment job = d.attachment();
  job.env["CNI_ARGS"] = "IgnoreUnknown=1";
  job.env["FOO"] = "bar";
  job.config["nested"] = Json::parse(R"({"Case": [1, 1.50, "ä", {"deep": null}], "big": 123456})");
  const Json result = t.must_add(job);
  Json with_prev = job.config;
  with_prev["prevResult"] = result;
  std::vector<std::pair<std::string, Json>> verbs = {{"ADD", job.config}};
  if (t.subject().supports_from("0.4.0")) {
    t.call(job, "CHECK", with_prev);
    verbs.emplace_back("CHECK", with_prev);
  }
  t.call(job, "DEL", with_prev);
  verbs.emplace_back("DEL", with_prev);
  const std::vector<RecordedCall> calls = d.ipam().calls();
  if (calls.size() != verbs.size()) {
    throw Blocked("the delegate got the verbs " + d.ipam().commands());
  }
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    pairs.push_back({verbs[i].first, t.spawn(job, verbs[i].first, verbs[i].second), calls[i]});
  }
  return pairs;
}

void environment(Trial& t) {
  Delegation d(t);
  for (const Pair& pair : all_verbs(t, d)) {
    for (const std::string& variable : pair.asked.env) {
      const std::string key = variable.substr(0, variable.find('='));
      const auto found = pair.got.env.find(key);
      const std::string got = found == pair.got.env.end() ? "(absent)" : found->second;
      t.expect(variable == key + '=' + got, "DLG-02",
               pair.verb + " of the delegate has " + variable + ", not " + got);
    }
  }
}

void configuration(Trial& t) {
  Delegation d(t);
  for (const Pair& pair : all_verbs(t, d)) {
    // Numbers and order of keys aside: as values.
    const auto asked = nlohmann::json::parse(pair.asked.in);
    const auto got = nlohmann::json::parse(pair.got.in, nullptr, false);
    t.expect(asked == got, "DLG-03",
             pair.verb + " of the delegate has the whole configuration: " + pair.asked.in +
                 " became " + pair.got.in);
  }
}

void stderr_passes(Trial& t) {
  Delegation d(t);
  d.ipam().answer("ADD", kAddress, 0, "what the delegate logs\n");
  const Output good = t.add(d.attachment());
  d.must_be_called();
  t.expect(good.err.find("what the delegate logs") != std::string::npos, "DLG-04",
           "the delegate's stderr is seen when it succeeds: " + good.str());
}

void stderr_passes_on_failure(Trial& t) {
  Delegation d(t);
  d.ipam().answer("ADD", kError, 1, "what the delegate logs\n");
  const Output bad = t.add(d.attachment());
  d.must_be_called();
  t.expect(bad.err.find("what the delegate logs") != std::string::npos, "DLG-04",
           "the delegate's stderr is seen when it fails: " + bad.str());
}

void answer_without_version(Trial& t) {
  Delegation d(t);
  for (const std::string& version : t.versions("0.3.0")) {
    const Attachment job = d.attachment(version);
    const Output output = t.add(job);
    if (!t.succeeds("DLG-05", output, "ADD in " + version + " when the IPAM tells no version")) {
      continue;
    }
    const Json result = parse_json(output.out);
    t.del(job, result);
    t.expect(addresses_in(result) == std::vector<std::string>{"10.1.200.77/24"}, "DLG-05",
             "the answer is of the configuration's version: " + output.str());
  }
}

void all_verbs_are_forwarded(Trial& t) {
  Delegation d(t);
  all_verbs(t, d);
  std::string expected = t.subject().supports_from("0.4.0") ? "ADD CHECK DEL" : "ADD DEL";
  if (t.subject().supports_from("1.1.0")) {
    t.status(d.nobody());
    t.gc(d.nobody(), Json::array());
    expected += " STATUS GC";
  }
  t.expect(d.ipam().commands() == expected, "DLG-06",
           "the delegate gets " + expected + ", not " + d.ipam().commands());
}

void trace_context(Trial& t) {
  Delegation d(t);
  Attachment job = d.attachment();
  job.env["TRACEPARENT"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  t.must_add(job);
  d.must_be_called();
  const auto env = d.ipam().calls().front().env;
  t.expect(env.contains("TRACEPARENT") && env.at("TRACEPARENT") == job.env["TRACEPARENT"],
           "EXEC-20", "the delegate gets TRACEPARENT");
}

void failed_add(Trial& t) {
  Delegation d(t);
  d.ipam().answer("ADD", kError, 1);
  const Output added = t.add(d.attachment());
  d.must_be_called();
  const Json error = t.fails("ADD-10", added, "ADD when the delegate fails", 120);
  t.expect(error.empty() || has(error, "no luck"), "ADD-10",
           "the delegate's error is handed on: " + error.dump());
  t.expect(d.ipam().commands() == "ADD DEL", "ADD-10",
           "a delegate that failed gets DEL; it got " + d.ipam().commands());
}

void failure_after_delegate(Trial& t) {
  Delegation d(t);
  d.ipam().answer("ADD",
                  R"({"ips": [{"version": "4", "address": "10.1.200.77/24"}],
                      "routes": [{"dst": "10.9.0.0/16", "gw": "192.168.9.9"}]})");
  if (t.add(d.attachment()).ok()) throw Blocked("a route by an unreachable gateway is no error");
  d.must_be_called();
  t.expect(d.ipam().commands() == "ADD DEL", "ADD-10",
           "the delegate gets DEL when a later step fails; it got " + d.ipam().commands());
}

void failed_del(Trial& t) {
  Delegation d(t);
  const Attachment job = d.attachment();
  const Json result = t.must_add(job);
  d.ipam().answer("DEL", kError, 1);
  t.fails("DEL-06", t.del(job, result), "DEL when the delegate fails", 120);
  t.expect(d.last() == "DEL", "DEL-06", "the delegate gets DEL; it got " + d.ipam().commands());
}

void failed_check(Trial& t) {
  Delegation d(t);
  const Attachment job = d.attachment();
  const Json result = t.must_add(job);
  d.ipam().answer("CHECK", kError, 1);
  t.fails("CHK-08", t.check(job, result), "CHECK when the delegate fails", 120);
  t.expect(d.last() == "CHECK", "CHK-08", "the delegate gets CHECK; it got " + d.ipam().commands());
}

void failed_status(Trial& t) {
  Delegation d(t);
  d.ipam().answer("STATUS", kError, 1);
  t.fails("STAT-05", t.status(d.nobody()), "STATUS when the delegate fails", 120);
  t.expect(d.last() == "STATUS", "STAT-05",
           "the delegate gets STATUS; it got " + d.ipam().commands());
}

void failed_gc(Trial& t) {
  Delegation d(t);
  t.must_add(d.attachment());
  d.ipam().answer("GC", kError, 1);
  t.fails("GC-07", t.gc(d.nobody(), Json::array()), "GC when the delegate fails", 120);
  t.expect(d.last() == "GC", "GC-07", "the delegate gets GC; it got " + d.ipam().commands());
}

bool unwritten(const Subject& subject) { return delegates(subject) && !subject.profile().rewrites; }

const Check kChecks[] = {
    {"DLG-01", "a delegate that is missing is an error", Level::must, "0.1.0", &delegates,
     &missing},
    {"DLG-02", "the delegate has the same environment", Level::must, "0.1.0", &delegates,
     &environment},
    {"DLG-03", "the delegate has the whole configuration", Level::must, "0.1.0", &unwritten,
     &configuration},
    {"DLG-04", "the stderr of the delegate is seen", Level::must, "0.1.0", &delegates,
     &stderr_passes},
    {"DLG-04", "the stderr of a delegate that fails is seen", Level::should, "0.1.0", &delegates,
     &stderr_passes_on_failure},
    {"DLG-05", "an answer without version has the configuration's", Level::must, "0.3.0",
     &delegates, &answer_without_version},
    {"DLG-06", "every verb is forwarded", Level::must, "0.1.0", &delegates,
     &all_verbs_are_forwarded},
    {"EXEC-20", "the trace context is forwarded", Level::should, "0.1.0", &delegates,
     &trace_context},
    {"ADD-10", "a delegate whose ADD failed is released", Level::should, "0.1.0", &delegates,
     &failed_add},
    {"ADD-10", "a delegate is released when a later step fails", Level::should, "0.3.0", &delegates,
     &failure_after_delegate},
    {"DEL-06", "an error of the delegate is that of DEL", Level::must, "0.1.0", &delegates,
     &failed_del},
    {"CHK-08", "an error of the delegate is that of CHECK", Level::must, "0.4.0", &delegates,
     &failed_check},
    {"STAT-05", "an error of the delegate is that of STATUS", Level::must, "1.1.0", &delegates,
     &failed_status},
    {"GC-07", "an error of the delegate is that of GC", Level::must, "1.1.0", &delegates,
     &failed_gc},
};

}  // namespace

std::span<const Check> delegate_rules() { return kChecks; }

}  // namespace unicni::conformance
