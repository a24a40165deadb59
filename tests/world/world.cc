#include "world/world.h"

#include <algorithm>

#include "world/foreign.h"
#include "world/look.h"
#include "world/sight.h"

namespace unicni::test::world {
namespace {

std::string text_of(const Outcome& outcome) {
  return (outcome.failed.empty() ? "" : outcome.failed + ": ") + outcome.text;
}

/// Whether CHECK of a member looks into the container: programs of other makers need not, and
/// portmap's looks at rules.
bool looks_inside(const Json& list) {
  return std::ranges::any_of(list["plugins"], [](const Json& member) {
    const std::string type = member.value("type", "");
    return !is_foreign(type) && type != "portmap";
  });
}

bool has_ours(const Json& list) {
  return std::ranges::any_of(
      list["plugins"], [](const Json& member) { return !is_foreign(member.value("type", "")); });
}

/// Debian's plugins are of before 1.1.0, and their firewall wants at least 0.4.0. Where their
/// bridge checks senders, a container that their tuning gives another MAC is cut off.
bool is_known_to_reference(const Json& list) {
  const Json& main = list["plugins"][0];
  return (list["cniVersion"] == "0.4.0" || list["cniVersion"] == "1.0.0") &&
         main["type"] != "macvlan" && !main.value("macspoofchk", false);
}

}  // namespace

World::World(const Scenario& scenario)
    : scenario_(scenario), host_(scenario), runtime_(host_, scenario), model_(scenario) {}

std::string World::netns_of(int container, NetnsPath path) const {
  switch (path) {
    case NetnsPath::right:
      return Host::netns_path(container);
    case NetnsPath::empty:
      return "";
    case NetnsPath::missing:
      return "/run/netns/nobodys";
    case NetnsPath::anothers:
      return Host::netns_path((container + 1) % scenario_.containers);
  }
  return "";
}

ListCall World::call_of(int place) const {
  ListCall call;
  call.place = place;
  call.list = model_.list_of(model_.place(place).network);
  call.one_process = model_.network_of(place).one_process;
  call.netns = Host::netns_path(model_.place(place).container);
  call.ports = model_.life(place).ports;
  return call;
}

/// For DEL. Behind a main plugin of another maker nobody but the member that did something is asked
/// to take it back: if somebody took that member out of a list of programs, also one of two of a
/// type, the attachment goes by the list of its ADD, which runtimes keep. (By another list its
/// journal stays until GC, its next ADD or the end of its namespace.) So does an attachment of the
/// reference, of which no journal tells.
ListCall World::call_to_del(int place) const {
  ListCall call = call_of(place);
  const Life& life = model_.life(place);
  const Json& list = life.list;
  if (list.is_null()) return call;
  const bool alone = !call.one_process && is_foreign(list["plugins"][0].value("type", ""));
  if (!alone && !life.by_reference) return call;
  const bool whole = std::ranges::all_of(list["plugins"], [&](const Json& member) {
    const std::string type = member.value("type", "");
    return members_of_type(call.list, type).size() >= members_of_type(list, type).size();
  });
  if (!whole) call.list = list;
  return call;
}

/// Nothing of it may be left. `settled`: its namespace's settings are what they were, too.
void World::ended(int place, bool settled) {
  const Place& where = model_.place(place);
  if (!settled) model_.unsettle(where.container, where.network);
  model_.life(place) = Life{};
}

void World::take_result(int place, const Step& step, const Json& list) {
  Life& life = model_.life(place);
  const bool unsure = life.state == State::unknown;
  const Place& where = model_.place(place);
  life = Life{};
  life.state = State::alive;
  life.list = list;
  life.ports = step.choice;
  life.by_reference = step.by_reference;
  life.foreign = is_foreign(list["plugins"][0].value("type", ""));
  life.masquerades = list["plugins"][0].value("ipMasq", false);
  life.claims = model_.claims_of_add(place, step.choice, step.by_reference);
  life.snat = has_snat(list);
  if (!life.foreign) life.subnets = model_.subnets_of(where.network);
  const Json result = host_.result(result_name(scenario_, place));
  const auto put = [&](const std::string& address) {
    life.addresses[address.find(':') != std::string::npos] = address.substr(0, address.find('/'));
  };
  for (const Json& ip : result.value("ips", Json::array())) put(ip.value("address", ""));
  for (const char* key : {"ip4", "ip6"}) {
    if (result.contains(key)) put(result[key].value("ip", ""));
  }
  for (const Json& interface : result.value("interfaces", Json::array())) {
    if (interface.value("sandbox", "") != "") life.mac = interface.value("mac", "");
  }
  if (step.by_reference || unsure) model_.unsettle(where.container, where.network);
  life.since = ++model_.now;
  const bool has_firewall = !members_of_type(list, "firewall").empty();
  if (step.by_reference && has_firewall) model_.forward_is_foreign = true;
  if (!step.by_reference && (has_firewall || !life.claims.empty())) {
    model_.forward_is_foreign = false;
  }
  if (!step.by_reference && has_rules(life)) model_.rules = Rules::intact;
}

void World::add(const Step& step) {
  const Place& where = model_.place(step.place);
  if (!host_.has_namespace(where.container) && step.netns == NetnsPath::right) {
    constexpr int kLeast = 20;
    const std::string setting = std::to_string(kLeast + births_++ % 10);
    host_.add_namespace(where.container, setting);
    model_.born_with[where.container] = setting;
    model_.settle(where.container);
  }
  const NetworkPlan& network = model_.network_of(step.place);
  const bool is_away = model_.is_away(where.network);
  const State before = model_.life(step.place).state;
  // Its roll-back would free our reservation.
  ListCall call = call_of(step.place);
  const bool by_reference =
      step.by_reference && before == State::none && !is_away && is_known_to_reference(call.list);
  call.netns = netns_of(where.container, step.netns);
  call.ports = step.choice;
  call.kill = step.kill;
  call.by_reference = by_reference;
  if (by_reference) call.one_process = false;
  auto expected = model_.admits(step.place, step.choice, by_reference);
  if (step.netns != NetnsPath::right || is_away) expected = Model::Answer::no;
  host_.prepare_gateway(network, model_.subnets_of(where.network));
  const Outcome outcome = runtime_.add(call);
  host_.plug_gateway(network);
  if (outcome.killed) {
    if (before == State::alive) return;  // it was about to be refused
    model_.life(step.place).claims = model_.claims_of_add(step.place, step.choice, by_reference);
    model_.life(step.place).by_reference = by_reference;
    model_.life(step.place).list = call.list;
    model_.life(step.place).ports = step.choice;
    model_.life(step.place).state = State::unknown;
    model_.unsettle(where.container, where.network);
    if (model_.rules == Rules::gone) model_.rules = Rules::unsure;
    return;
  }
  if (outcome.ok && expected == Model::Answer::no) {
    throw Broken("ADD accepted", "this ADD had to be refused");
  }
  if (!outcome.ok && expected == Model::Answer::yes) {
    throw Broken("ADD refused by " + outcome.failed,
                 "this ADD had to succeed: " + text_of(outcome));
  }
  if (outcome.ok) {
    Step taken = step;
    taken.by_reference = by_reference;
    take_result(step.place, taken, call.list);
    return;
  }
  if (model_.rules == Rules::gone) model_.rules = Rules::unsure;
  if (before == State::alive || step.netns != NetnsPath::right) return;
  if (is_away) {
    // Whoever looks for the program comes before all others: nothing of this ADD was done.
    if (before != State::none) model_.life(step.place).state = State::unknown;
  } else if (by_reference || !call.one_process) {
    // libcni doesn't take back what the members before have done: every runtime calls DEL then.
    model_.life(step.place).state = State::unknown;
    model_.life(step.place).ports = step.choice;
    del_well(step.place);
    // The reference's tuning remembers no sysctl that it sets.
    if (by_reference) model_.unsettle(where.container, where.network);
  } else if (before != State::none) {
    model_.life(step.place).state = State::unknown;
  }
}

void World::del_well(int place) {
  const Outcome outcome = runtime_.del(call_to_del(place));
  if (!outcome.ok) throw Broken("DEL failed in " + outcome.failed, text_of(outcome));
  ended(place, true);
  if (model_.rules == Rules::gone) model_.rules = Rules::unsure;
}

void World::del(const Step& step) {
  const Place& where = model_.place(step.place);
  const Life& life = model_.life(step.place);
  ListCall call = call_to_del(step.place);
  call.netns = netns_of(where.container, step.netns);
  call.kill = step.kill;
  call.with_result = step.with_result;
  call.with_ports = step.with_ports;
  if (step.old_list && !life.list.is_null()) call.list = life.list;
  const bool is_away = model_.is_away(where.network);
  // In a namespace that is another container's by now the reference deletes what it finds.
  call.by_reference = step.by_reference && step.netns != NetnsPath::anothers && !is_away &&
                      life.state == State::alive && is_known_to_reference(call.list);
  if (call.by_reference) call.one_process = false;
  // Rules of the reference's firewall name an address and nothing else, which prevResult alone
  // tells: its own DEL needs that, too.
  if (life.by_reference && !members_of_type(call.list, "firewall").empty()) call.with_result = true;
  const bool was = life.state != State::none;
  const Outcome outcome = runtime_.del(call);
  if (model_.rules == Rules::gone) model_.rules = Rules::unsure;
  if (outcome.killed) {
    // Of nothing, too: it may leave the file that it locked.
    model_.life(step.place).state = State::unknown;
    model_.unsettle(where.container, where.network);
    return;
  }
  if (call.by_reference) {
    // It knows nothing of our elements and journals.
    model_.life(step.place).state = State::unknown;
    model_.unsettle(where.container, where.network);
    return;
  }
  if (is_away) {
    // Where a namespace is left DEL may wait for the program; what that has made stays anyway.
    const bool is_over = step.netns == NetnsPath::empty ||
                         (!host_.has_namespace(where.container) && !exists(call.netns));
    if (!outcome.ok && is_over && !outcome.missing) {
      throw Broken("DEL waits in " + outcome.failed,
                   "this DEL had to succeed without the program: " + text_of(outcome));
    }
    if (!was) return;
    model_.life(step.place).state = State::unknown;
    model_.unsettle(where.container, where.network);
    return;
  }
  if (!outcome.ok) {
    throw Broken("DEL failed in " + outcome.failed, "this DEL had to succeed: " + text_of(outcome));
  }
  if (was) ended(step.place, step.netns == NetnsPath::right);
}

void World::check(const Step& step) {
  ListCall call = call_of(step.place);
  call.netns = netns_of(model_.place(step.place).container, step.netns);
  call.kill = step.kill;
  if (host_.result(result_name(scenario_, step.place)).is_null()) return;  // no runtime does so
  if (std::string version = call.list["cniVersion"]; version < "0.4.0") return;
  auto expected = model_.checks(step.place);
  if (step.netns != NetnsPath::right) {
    expected = looks_inside(call.list) ? Model::Answer::no : Model::Answer::either;
  }
  const Outcome outcome = runtime_.check(call);
  if (outcome.killed) return;
  if (outcome.ok && expected == Model::Answer::no) {
    throw Broken("CHECK passed", "this CHECK had to fail");
  }
  if (!outcome.ok && expected == Model::Answer::yes) {
    throw Broken("CHECK failed in " + outcome.failed,
                 "this CHECK had to succeed: " + text_of(outcome));
  }
}

void World::gc(const Step& step) {
  unsigned valid = 0;
  const Json list = model_.list_of(step.network);
  for (int place = 0; place < model_.places(); ++place) {
    if (model_.place(place).network != step.network) continue;
    const Life& life = model_.life(place);
    // A foreign plugin's GC is its own, and a runtime knows what it has made.
    const bool kept =
        life.foreign || life.by_reference || is_foreign(list["plugins"][0].value("type", ""));
    if (kept || (step.valid >> static_cast<unsigned>(place) & 1U) != 0) {
      valid |= 1U << static_cast<unsigned>(place);
    }
  }
  const bool is_away = model_.is_away(step.network);
  const Outcome outcome =
      runtime_.gc(list, scenario_.networks[static_cast<std::size_t>(step.network)].one_process,
                  valid, step.network, step.kill);
  if (outcome.ok && !outcome.killed && has_ours(list)) {
    model_.rules = Rules::intact;  // of all attachments of the host
  } else if (model_.rules == Rules::gone) {
    model_.rules = Rules::unsure;
  }
  for (int place = 0; place < model_.places(); ++place) {
    const Life& life = model_.life(place);
    if (model_.place(place).network != step.network || life.state == State::none) continue;
    if ((valid >> static_cast<unsigned>(place) & 1U) != 0) continue;
    if (outcome.killed || is_away) {
      model_.life(place).state = State::unknown;
      model_.unsettle(model_.place(place).container, step.network);
    } else {
      ended(place, true);
    }
  }
  if (!outcome.ok && !outcome.killed && !is_away) {
    throw Broken("GC failed in " + outcome.failed, "this GC had to succeed: " + text_of(outcome));
  }
}

void World::move(int network, int to) {
  const std::string program = program_of(scenario_.networks[static_cast<std::size_t>(network)]);
  if (program.empty()) return;
  host_.move_program(program, to);
  model_.away[static_cast<std::size_t>(network)] = to == kAway;
}

void World::put_back(int network) {
  if (model_.is_away(network)) move(network, 0);
}

/// As an administrator does it: the network's containers leave it, its bridge goes.
void World::remake(const Step& step) {
  put_back(step.network);
  for (int place = 0; place < model_.places(); ++place) {
    if (model_.place(place).network == step.network && model_.life(place).state != State::none) {
      del_well(place);
    }
  }
  host_.remove_bridge(scenario_.networks[static_cast<std::size_t>(step.network)]);
  model_.subnets_now[static_cast<std::size_t>(step.network)] = step.choice;
}

void World::vanish(int container) {
  if (!host_.has_namespace(container)) return;
  host_.remove_namespace(container);
  for (int place = 0; place < model_.places(); ++place) {
    if (model_.place(place).container == container && model_.life(place).state == State::alive) {
      model_.life(place).state = State::lost;
    }
  }
}

void World::perform(const Step& step) {
  switch (step.verb) {
    case Verb::add:
      return add(step);
    case Verb::del:
      return del(step);
    case Verb::check:
      return check(step);
    case Verb::gc:
      return gc(step);
    case Verb::edit:
      model_.list_now[static_cast<std::size_t>(step.network)] = step.choice;
      return;
    case Verb::remake:
      return remake(step);
    case Verb::flush:
      host_.flush_rules();
      model_.rules = Rules::gone;
      for (int place = 0; place < model_.places(); ++place) {
        if (model_.life(place).by_reference) model_.life(place).state = State::unknown;
      }
      return;
    case Verb::vanish:
      return vanish(step.container);
    case Verb::move:
      return move(step.network, step.choice);
  }
}

void World::look() {
  expect_traces(model_, look_at_host());
  for (int container = 0; container < scenario_.containers; ++container) {
    if (host_.has_namespace(container)) {
      expect_inside(model_, container, host_.netns(container));
    }
  }
  const auto expected = expected_traffic(model_, host_);
  std::vector<Knock> knocks;
  for (const Expectation& each : expected) {
    knocks.push_back(each.knock);
    // Two flows at once that rules make the same one cost a packet; no two have one port.
    constexpr int kFirstPort = 10000;
    constexpr int kPorts = 20000;  // ends before those that the kernel chooses
    knocks.back().from_port = kFirstPort + knocks_++ % kPorts;
  }
  const auto answers = host_.knock(knocks);
  for (std::size_t i = 0; i < answers.size(); ++i) expect_answer(expected[i], answers[i]);
}

void World::end() {
  host_.comment("the end: every attachment goes");
  for (const NetworkPlan& network : scenario_.networks) put_back(network.number);
  for (int place = 0; place < model_.places(); ++place) {
    if (model_.life(place).state != State::none) del_well(place);
  }
  look();
  for (const NetworkPlan& network : scenario_.networks) host_.remove_bridge(network);
}

void World::play() {
  const Snapshot before = host_snapshot();
  for (const Step& step : scenario_.steps) {
    host_.comment(std::to_string(step_) + ": " + describe(scenario_, step));
    perform(step);
    look();
    ++step_;
  }
  end();
  if (const auto left = elements_left(); !left.empty() && scenario_.network_state) {
    std::string text;
    for (const std::string& element : left) text += element + '\n';
    throw Broken("left in sets", "after the last DEL these elements are left:\n" + text);
  }
  const std::string changed = difference(before, host_snapshot());
  if (!changed.empty()) {
    throw Broken("left at the end",
                 "after the last DEL the host differs from the start:\n" + changed);
  }
}

}  // namespace unicni::test::world
