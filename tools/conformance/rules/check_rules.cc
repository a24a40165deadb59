// CHECK.
#include <algorithm>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

void too_old(Trial& t) {
  for (const std::string& version : t.versions()) {
    if (version >= "0.4") continue;
    const Attachment job = t.attachment(version);
    const Json result = t.must_add(job);
    t.fails("CHK-01", t.check(job, result), "CHECK of a configuration of " + version, 1);
  }
}

void after_add(Trial& t) {
  for (const std::string& version : t.versions("0.4.0")) {
    const Attachment job = t.attachment(version);
    const Json result = t.must_add(job);
    t.succeeds("CHK-02", t.check(job, result), "CHECK after ADD in " + version);
  }
}

void changes_nothing(Trial& t) {
  const Attachment job = t.attachment();
  const Json result = t.must_add(job);
  const State before = t.around(job);
  t.check(job, result);
  t.same("CHK-10", before, t.around(job), "CHECK changes nothing");
}

/// ADD, then `spoil` in the container, then a CHECK that must see it.
template <class F>
void drift(Trial& t, const std::string& what, F spoil) {
  const Attachment job = t.attachment();
  const Json result = t.must_add(job);
  spoil(t.container_of(job).fd(), job, result);
  t.fails("CHK-03", t.check(job, result), "CHECK " + what);
}

void missing_interface(Trial& t) {
  drift(t, "when the interface is gone", [](int inside, const Attachment& job, const Json&) {
    tool({"ip", "link", "del", job.if_name}, inside);
  });
}

void missing_address(Trial& t) {
  drift(t, "when its addresses are gone",
        [](int inside, const Attachment& job, const Json& result) {
          const std::vector<std::string> addresses = addresses_in(result);
          if (addresses.empty()) throw Blocked("the result of ADD has no address");
          for (const std::string& address : addresses) {
            tool({"ip", "addr", "del", address, "dev", job.if_name}, inside);
          }
        });
}

void missing_route(Trial& t) {
  drift(t, "when its default route is gone", [](int inside, const Attachment&, const Json& result) {
    const Json routes = result.value("routes", Json::array());
    const bool has_default = std::any_of(routes.begin(), routes.end(), [](const Json& route) {
      return route.value("dst", "") == "0.0.0.0/0";
    });
    if (!has_default) throw Blocked("the result of ADD has no default route");
    tool({"ip", "route", "del", "default"}, inside);
  });
}

void missing_reservation(Trial& t) {
  const Attachment job = t.attachment();
  const Json result = t.must_add(job);
  for (const std::string& name : t.taken()) tool({"rm", t.profile().reservations + '/' + name});
  t.fails("CHK-03", t.check(job, result), "CHECK when the reservation is gone");
}

void prev_result_decides(Trial& t) {
  const Attachment job = t.attachment();
  Json result = t.must_add(job);
  tool({"ip", "link", "set", job.if_name, "address", "02:00:00:00:00:77"},
       t.container_of(job).fd());
  t.fails("CHK-04", t.check(job, result), "CHECK when the MAC isn't that of prevResult");
  for (Json& each : result["interfaces"]) {
    if (each["name"] == job.if_name) each["mac"] = "02:00:00:00:00:77";
  }
  t.succeeds("CHK-04", t.check(job, result), "CHECK when prevResult has what a later plugin set");
}

void needs_prev_result(Trial& t) {
  Attachment job = t.attachment();
  t.must_add(job);
  job.config.erase("prevResult");
  t.fails("CHK-07", t.call(job, "CHECK", job.config), "CHECK without prevResult");
}

const Check kChecks[] = {
    {"CHK-01", "CHECK before 0.4.0 is refused", Level::must, "0.4.0", &every, &too_old},
    {"CHK-02", "CHECK succeeds after ADD", Level::must, "0.4.0", &every, &after_add},
    {"CHK-03", "CHECK misses the interface", Level::should, "0.4.0", &creates, &missing_interface},
    {"CHK-03", "CHECK misses an address", Level::should, "0.4.0",
     [](const Subject& s) { return creates(s) && delegates(s); }, &missing_address},
    {"CHK-03", "CHECK misses a route", Level::should, "0.4.0",
     [](const Subject& s) { return creates(s) && delegates(s); }, &missing_route},
    {"CHK-03", "CHECK misses a reservation", Level::should, "0.4.0", &reserves,
     &missing_reservation},
    {"CHK-04", "CHECK judges by prevResult", Level::must, "0.4.0", &creates, &prev_result_decides},
    {"CHK-07", "CHECK needs prevResult", Level::must, "0.4.0",
     [](const Subject& s) { return creates(s) || chained(s); }, &needs_prev_result},
    {"CHK-10", "CHECK changes nothing", Level::must, "0.4.0", &every, &changes_nothing},
};

}  // namespace

std::span<const Check> check_rules() { return kChecks; }

}  // namespace unicni::conformance
