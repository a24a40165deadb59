// GC.
#include <algorithm>
#include <filesystem>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

void valid_stays(Trial& t) {
  const Attachment job = t.attachment();
  t.must_add(job);
  const State before = t.around(job);
  t.succeeds("GC-01", t.gc(t.nobody(), Json::array({valid_entry(job)})),
             "GC with the one attachment as valid");
  t.same("GC-01", before, t.around(job), "GC leaves what is valid");
}

void stale_goes(Trial& t) {
  for (const char* key : {"cni.dev/valid-attachments", "cni.dev/attachments"}) {
    std::vector<Attachment> jobs;
    std::vector<Json> results;
    for (int i = 0; i < 3; ++i) {
      jobs.push_back(t.attachment());
      results.push_back(t.must_add(jobs.back()));
    }
    const std::size_t each = t.taken().size() / 3;
    Attachment request = t.nobody();
    request.config[key] = Json::array({valid_entry(jobs[1])});
    t.succeeds("GC-02", t.call(request, "GC", request.config), std::string("GC with ") + key);
    t.expect(t.taken().size() == each, "GC-02",
             std::string("of three attachments one is in ") + key +
                 ", so its addresses stay and no other; left: " + joined(t.taken()));
    for (std::size_t i = 0; i < jobs.size(); ++i) t.del(jobs[i], results[i]);
  }
}

void other_networks(Trial& t) {
  const Attachment job = t.attachment();
  t.must_add(job);
  const State before = t.around(job);
  Attachment other = t.nobody();
  other.config["name"] = "another-network";
  t.succeeds("GC-03", t.gc(other, Json::array()), "GC of another network");
  t.same("GC-03", before, t.around(job), "GC of another network leaves this one");
}

void goes_on(Trial& t) {
  const Attachment job = t.attachment();
  t.must_add(job);
  const std::string stuck = t.profile().reservations + "/10.1.2.1";
  std::filesystem::create_directories(stuck + "/below");
  t.gc(t.nobody(), Json::array());
  t.expect(t.taken() == std::vector<std::string>{"10.1.2.1"}, "GC-04",
           "GC goes on past what it can't remove (10.1.2.1); left: " + joined(t.taken()));
}

void too_old(Trial& t) {
  for (const std::string& version : t.subject().versions()) {
    if (version >= "1.1") continue;
    t.fails("GC-05", t.gc(t.nobody(version), Json::array()), "GC of a configuration of " + version,
            1);
  }
}

Attachment with_garbage(Trial& t) {
  Attachment job = t.nobody();
  job.container_id = "_ /";
  job.if_name = "a/b/c and much too long";
  job.netns = "/nowhere";
  return job;
}

void garbage_is_ignored(Trial& t) {
  t.needs_working_add();
  t.succeeds("GC-06", t.gc(with_garbage(t), Json::array()),
             "GC with garbage in the variables that it doesn't need");
}

void null_and_empty(Trial& t) {
  for (const Json& list : {Json(nullptr), Json::array()}) {
    const Attachment job = t.attachment();
    const Json result = t.must_add(job);
    t.succeeds("GC-10", t.gc(t.nobody(), list), "GC with the list " + list.dump());
    t.expect(t.taken().empty(), "GC-10",
             "GC with the list " + list.dump() + " gives all back; left: " + joined(t.taken()));
    t.del(job, result);
  }
}

void no_list(Trial& t) {
  const Attachment job = t.attachment();
  t.must_add(job);
  const State before = t.around(job);
  t.call(t.nobody(), "GC", t.nobody().config);
  t.same("GC-10", before, t.around(job), "GC without a list removes nothing");
}

void del_after_gc(Trial& t) {
  const Attachment job = t.attachment();
  const Json result = t.must_add(job);
  if (!t.gc(t.nobody(), Json::array()).ok()) throw Blocked("GC fails");
  t.succeeds("GC-11", t.del(job, result), "DEL after GC");
}

void without_namespace(Trial& t) {
  const State host = t.host();
  const Attachment first = t.attachment();
  const Attachment second = t.attachment();
  t.must_add(first);
  t.must_add(second);
  t.container_of(first).remove();
  if (!t.succeeds("GC-13", t.gc(t.nobody(), Json::array()), "GC when a namespace is gone")) return;
  t.host_becomes("GC-13", host, "GC of all attachments leaves nothing on the host");
}

const Check kChecks[] = {
    {"GC-01", "GC leaves what is valid", Level::must, "1.1.0", &every, &valid_stays},
    {"GC-02", "GC reads either key of the list", Level::must, "1.1.0", &reserves, &stale_goes},
    {"GC-03", "GC is about its own network", Level::must, "1.1.0", &every, &other_networks},
    {"GC-04", "GC goes on past an error", Level::should, "1.1.0", &reserves, &goes_on},
    {"GC-05", "GC before 1.1.0 is refused", Level::must, "1.1.0", &every, &too_old},
    {"GC-06", "GC needs no container", Level::must, "1.1.0", &every, &garbage_is_ignored},
    {"GC-10", "an empty list means that nothing is valid", Level::must, "1.1.0", &reserves,
     &null_and_empty},
    {"GC-10", "without a list GC removes nothing", Level::must, "1.1.0", &every, &no_list},
    {"GC-11", "DEL works after GC", Level::must, "1.1.0", &every, &del_after_gc},
    {"GC-13", "GC cleans up without the namespaces", Level::must, "1.1.0", &creates,
     &without_namespace},
};

}  // namespace

std::span<const Check> gc_rules() { return kChecks; }

}  // namespace unicni::conformance
