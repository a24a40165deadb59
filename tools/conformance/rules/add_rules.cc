// ADD.
#include <algorithm>
#include <set>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

bool has_link(const Container& inside, const std::string& name) {
  const std::vector<std::string> names = link_names(inside.fd());
  return std::find(names.begin(), names.end(), name) != names.end();
}

void makes_the_interface(Trial& t) {
  Attachment job = t.attachment();
  t.must_add(job);
  t.expect(has_link(t.container_of(job), job.if_name), "ADD-01",
           "ADD makes " + job.if_name +
               " in the container, which has: " + joined(link_names(t.container_of(job).fd())));
  job = t.attachment();
  job.if_name = "fifteen-bytes.x";
  const Output output = t.add(job);
  if (!t.succeeds("ADD-01", output, "ADD with a CNI_IFNAME of 15 bytes")) return;
  t.expect(has_link(t.container_of(job), job.if_name), "ADD-01",
           "ADD makes a link with a name of 15 bytes");
}

void existing_is_refused(Trial& t) {
  const Attachment job = t.attachment();
  t.must_add(job);
  Attachment other = job;
  other.container_id = "other";
  const State before = t.around(job);
  t.fails("ADD-02", t.add(other), "ADD where CNI_IFNAME exists already");
  t.same("ADD-02", before, t.around(job), "a refused ADD leaves the other attachment as it was");
  t.fails("ADD-02", t.add(job), "a second ADD of the same attachment");
  t.same("ADD-02", before, t.around(job), "a refused second ADD changes nothing");
}

void keys_of_state(Trial& t) {
  const Attachment first = t.attachment();
  Attachment second = t.attachment();
  second.netns = first.netns;  // same id, other interface
  second.container_id = first.container_id;
  second.if_name = "eth1";
  second.config.erase("isDefaultGateway");
  const Attachment third = t.attachment();  // same interface, other id
  const Json first_result = t.must_add(first);
  const Output second_added = t.add(second);
  if (!t.succeeds("ADD-11", second_added, "ADD of a second interface of one container")) return;
  const Json second_result = parse_json(second_added.out);
  const Json third_result = t.must_add(third);
  const Container& inside = t.container_of(first);
  t.succeeds("ADD-11", t.del(second, second_result), "DEL of one of two interfaces");
  t.expect(has_link(inside, "eth0") && !has_link(inside, "eth1"), "ADD-11",
           "DEL of eth1 takes eth1 alone; left is: " + joined(link_names(inside.fd())));
  const State before = kernel_state(inside.fd());
  t.must_del(third, third_result);
  t.same("ADD-11", before, kernel_state(inside.fd()), "DEL of another container changes this one");
  if (t.subject().supports_from("0.4.0")) {
    t.succeeds("ADD-11", t.check(first, first_result),
               "CHECK of the attachment that is left after DEL of two others");
  }
}

void own_namespace(Trial& t) {
  Attachment job = t.attachment();
  const State before = t.host();
  job.netns = "/proc/self/ns/net";
  t.fails("ADD-12", t.add(job), "ADD with the host's own namespace as CNI_NETNS");
  t.same("ADD-12", before, t.host(), "ADD with the host's own namespace changes nothing");
}

void missing_namespace(Trial& t) {
  Attachment job = t.attachment();
  const State before = t.host();
  job.netns = "/run/netns/never-there";
  t.fails("ADD-12", t.add(job), "ADD with a CNI_NETNS that doesn't exist");
  t.same("ADD-12", before, t.host(), "ADD without its namespace leaves nothing");
}

void at_once(Trial& t) {
  constexpr int kContainers = 12;
  std::vector<Attachment> jobs;
  for (int i = 0; i < kContainers; ++i) jobs.push_back(t.attachment());
  std::vector<Spawn> spawns;
  for (const Attachment& job : jobs) {
    Spawn& spawn = spawns.emplace_back(t.spawn(job, "ADD", job.config));
    spawn.limit *= 2;  // they share the processors
  }
  std::set<std::string> addresses;
  for (const Output& output : t.call_at_once(spawns)) {
    if (!t.succeeds("ADD-13", output, "one of 12 ADDs at once")) continue;
    const Json result = parse_json(output.out);
    if (!reserves(t.subject()) || !result.is_object()) continue;
    for (const std::string& address : addresses_in(result)) {
      t.expect(addresses.insert(address).second, "ADD-13", address + " was given to two at once");
    }
  }
}

void failure_leaves_nothing(Trial& t) {
  t.needs_working_add();
  const Attachment job = t.attachment();
  tool({"ip", "link", "add", job.if_name, "type", "bridge"}, t.container_of(job).fd());
  const State before = t.around(job);
  if (t.add(job).ok()) throw Blocked("ADD succeeds where CNI_IFNAME exists already");  // ADD-02's
  t.same("ADD-14", before, t.around(job), "an ADD that failed leaves nothing");
}

void full_pool_leaves_nothing(Trial& t) {
  Attachment first = t.attachment();
  Attachment second = t.attachment();
  t.use_small_pool(first);
  t.use_small_pool(second);
  t.must_add(first);
  // Not Trial::host(), which makes an attachment of the other configuration.
  const State host = host_state();
  const State inside = kernel_state(t.container_of(second).fd());
  t.fails("ADD-14", t.add(second), "ADD when all addresses are taken");
  t.same("ADD-14", host, host_state(), "an ADD that got no address leaves nothing on the host");
  t.same("ADD-14", inside, kernel_state(t.container_of(second).fd()),
         "an ADD that got no address leaves nothing in the container");
}

const Check kChecks[] = {
    {"ADD-01", "ADD makes the interface under its name", Level::must, "0.1.0", &creates,
     &makes_the_interface},
    {"ADD-02", "an interface that exists is refused and untouched", Level::must, "0.1.0", &creates,
     &existing_is_refused},
    {"ADD-11", "an attachment is container and interface", Level::must, "0.1.0", &creates,
     &keys_of_state},
    {"ADD-12", "the host's own namespace is refused before anything is done", Level::must, "0.1.0",
     &works_inside, &own_namespace},
    {"ADD-12", "a missing namespace is refused", Level::must, "0.1.0", &creates,
     &missing_namespace},
    {"ADD-13", "containers may be attached at once", Level::must, "0.1.0", &every, &at_once},
    {"ADD-14", "an ADD that fails leaves nothing", Level::should, "0.1.0", &creates,
     &failure_leaves_nothing},
    {"ADD-14", "an ADD without an address leaves nothing", Level::should, "0.1.0", &has_small_pool,
     &full_pool_leaves_nothing},
};

}  // namespace

std::span<const Check> add_rules() { return kChecks; }

}  // namespace unicni::conformance
