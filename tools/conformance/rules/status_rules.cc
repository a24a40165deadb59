// STATUS.
#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

void ready(Trial& t) {
  t.needs_working_add();  // else it isn't
  const Attachment job = t.nobody();
  const State before = host_state();
  t.succeeds("STAT-01", t.status(job), "STATUS of a plugin that is ready");
  t.same("STAT-01", before, host_state(), "STATUS changes nothing");
}

void full_pool(Trial& t) {
  Attachment job = t.attachment();
  t.use_small_pool(job);
  Attachment asked = t.nobody();
  t.use_small_pool(asked);
  t.must_add(job);
  t.fails("STAT-02", t.status(asked), "STATUS when all addresses are taken", 50);
}

void too_old(Trial& t) {
  for (const std::string& version : t.subject().versions()) {
    if (version >= "1.1") continue;
    t.fails("STAT-03", t.status(t.nobody(version)), "STATUS of a configuration of " + version, 1);
  }
}

void garbage_is_ignored(Trial& t) {
  t.needs_working_add();
  Attachment job = t.nobody();
  job.container_id = "_ /";
  job.if_name = "a/b/c and much too long";
  job.netns = "/nowhere";
  t.succeeds("STAT-04", t.status(job), "STATUS with garbage in the variables that it doesn't need");
}

void only_informs(Trial& t) {
  Attachment job = t.attachment();
  t.use_small_pool(job);
  Attachment asked = t.nobody();
  t.use_small_pool(asked);
  const Json result = t.must_add(job);
  if (t.status(asked).ok()) throw Blocked("STATUS doesn't fail");
  t.succeeds("STAT-06", t.check(job, result), "CHECK after a STATUS that failed");
  t.succeeds("STAT-06", t.del(job, result), "DEL after a STATUS that failed");
  t.succeeds("STAT-06", t.status(asked), "STATUS when an address is free again");
}

const Check kChecks[] = {
    {"STAT-01", "STATUS succeeds when the plugin is ready", Level::must, "1.1.0", &every, &ready},
    {"STAT-02", "STATUS tells that no address is left", Level::must, "1.1.0", &has_small_pool,
     &full_pool},
    {"STAT-03", "STATUS before 1.1.0 is refused", Level::must, "1.1.0", &every, &too_old},
    {"STAT-04", "STATUS needs no container", Level::must, "1.1.0", &every, &garbage_is_ignored},
    {"STAT-06", "STATUS only informs", Level::must, "1.1.0", &has_small_pool, &only_informs},
};

}  // namespace

std::span<const Check> status_rules() { return kChecks; }

}  // namespace unicni::conformance
