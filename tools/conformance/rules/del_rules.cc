// DEL, in every state in which an attachment may be.
#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

/// The kernel leaves lo its addresses when it goes down.
State inside(Trial& t, const Attachment& job) {
  return without_link(kernel_state(t.container_of(job).fd()), "lo");
}

void removes(Trial& t) {
  const Attachment job = t.attachment();
  const State host = t.host();
  const State before = inside(t, job);
  const Json result = t.must_add(job);
  if (!t.succeeds("DEL-01", t.del(job, result), "DEL after ADD")) return;
  t.same("DEL-01", host, t.host(), "after DEL the host is as before ADD");
  t.same("DEL-01", before, inside(t, job), "after DEL the container is as before ADD");
}

void again(Trial& t) {
  t.needs_working_add();  // where a delegate is missing, DEL may fail for it
  Attachment job = t.attachment();
  t.succeeds("DEL-02", t.call(job, "DEL", job.config), "DEL without ADD");
  const Json result = t.must_add(job);
  t.must_del(job, result);
  t.succeeds("DEL-02", t.del(job, result), "a second DEL");
  t.succeeds("DEL-02", t.call(job, "DEL", job.config), "a third DEL, without prevResult");
  job.netns = "/run/netns/never-there";
  t.succeeds("DEL-02", t.call(job, "DEL", job.config), "DEL with a CNI_NETNS that doesn't exist");
}

void interface_is_gone(Trial& t) {
  const Attachment job = t.attachment();
  const State host = t.host();
  const Json result = t.must_add(job);
  tool({"ip", "link", "del", job.if_name}, t.container_of(job).fd());
  if (!t.succeeds("DEL-02", t.del(job, result), "DEL when the interface is gone already")) return;
  t.host_becomes("DEL-02", host, "DEL when the interface is gone leaves nothing");
}

void namespace_is_gone(Trial& t) {
  const State host = t.host();
  const Attachment job = t.attachment();
  const Json result = t.must_add(job);
  t.container_of(job).remove();
  if (!t.succeeds("DEL-03", t.del(job, result), "DEL when the namespace is gone")) return;
  t.host_becomes("DEL-03", host, "DEL when the namespace is gone leaves nothing");
  if (!reserves(t.subject())) return;
  t.expect(t.taken().empty(), "DEL-03", "addresses are given back: " + joined(t.taken()));
}

void namespace_is_unset(Trial& t) {
  const State host = t.host();
  Attachment job = t.attachment();
  const Json result = t.must_add(job);
  t.container_of(job).remove();
  job.netns.clear();
  if (!t.succeeds("DEL-05", t.del(job, result), "DEL with an empty CNI_NETNS")) return;
  t.host_becomes("DEL-05", host, "DEL without CNI_NETNS leaves nothing");
  if (!reserves(t.subject())) return;
  t.expect(t.taken().empty(), "DEL-05", "addresses are given back: " + joined(t.taken()));
}

void strange_prev_results(Trial& t) {
  const State host = t.host();
  for (const char* prev : {"absent", "null", "{}"}) {
    const Attachment job = t.attachment();
    Json request = job.config;
    t.must_add(job);
    request.erase("prevResult");
    if (std::string(prev) != "absent") request["prevResult"] = Json::parse(prev);
    t.succeeds("DEL-04", t.call(job, "DEL", request), std::string("DEL with prevResult ") + prev);
    if (chained(t.subject())) continue;  // the suite's link is there still
    t.same("DEL-04", host, t.host(),
           std::string("DEL with prevResult ") + prev + " leaves nothing");
  }
}

const Check kChecks[] = {
    {"DEL-01", "DEL removes what ADD made", Level::must, "0.1.0", &every, &removes},
    {"DEL-02", "DEL may come at any time and again", Level::must, "0.1.0", &every, &again},
    {"DEL-02", "DEL succeeds when the interface is gone", Level::must, "0.1.0", &creates,
     &interface_is_gone},
    {"DEL-03", "DEL cleans up without the namespace", Level::must, "0.1.0", &every,
     &namespace_is_gone},
    {"DEL-04", "DEL works without prevResult", Level::must, "0.4.0", &every, &strange_prev_results},
    {"DEL-05", "DEL needs no CNI_NETNS", Level::must, "0.1.0", &every, &namespace_is_unset},
};

}  // namespace

std::span<const Check> del_rules() { return kChecks; }

}  // namespace unicni::conformance
