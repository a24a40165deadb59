#include "world/look.h"

#include <algorithm>

namespace unicni::test::world {
namespace {

/// The place that a trace names; -1 if none.
int place_of(const Model& model, const Trace& trace) {
  for (int i = 0; i < model.places(); ++i) {
    const Place& place = model.place(i);
    if (container_name(place.container) == trace.container && place.if_name == trace.if_name &&
        (trace.network.empty() || model.network_of(i).name == trace.network)) {
      return i;
    }
  }
  return -1;
}

bool is_unknown_on(const Model& model, const std::string& network) {
  for (int i = 0; i < model.places(); ++i) {
    if (model.network_of(i).name == network && model.life(i).state == State::unknown) return true;
  }
  return false;
}

std::string named(const Model& model, int index) {
  const Place& place = model.place(index);
  return model.network_of(index).name + '/' + container_name(place.container) + '/' + place.if_name;
}

void expect_settings(const Model& model, int container, int netns) {
  for (const auto& [key, value] : model.settings_of(container)) {
    if (!value) continue;
    const std::string found = setting_inside(netns, key);
    if (found != *value) {
      throw Broken("inside " + key, container_name(container) + " has " + key + " = " + found +
                                        ", expected " + *value);
    }
  }
}

void expect_interface(const Model& model, int index, const Inside& inside) {
  const Life& life = model.life(index);
  const auto differs = [&](const std::string& what, const std::string& found,
                           const std::string& expected) {
    throw Broken("inside " + what,
                 named(model, index) + " has " + what + ' ' + found + ", expected " + expected);
  };
  const Wishes wishes = wishes_of(life.list, model.place(index).if_name);
  constexpr int kDefault = 1500;
  constexpr int kForeign = 1400;
  const int made_with = life.foreign ? kForeign : life.list["plugins"][0].value("mtu", kDefault);
  const int mtu = wishes.mtu != 0 ? wishes.mtu : made_with;
  if (inside.mtu != mtu) differs("MTU", std::to_string(inside.mtu), std::to_string(mtu));
  const std::string mac = wishes.mac ? wanted_mac(model.scenario(), index) : life.mac;
  if (!mac.empty() && inside.mac != mac) differs("MAC", inside.mac, mac);
  if (mac.empty() && inside.mac.starts_with("02:11:22:33")) differs("MAC", inside.mac, "its own");
  std::set<std::string> expected;
  for (const auto& [v6, address] : life.addresses) expected.insert(address);
  std::set<std::string> found;
  for (const std::string& address : inside.addresses) {
    found.insert(address.substr(0, address.find('/')));
  }
  if (found != expected) {
    std::string text;
    for (const std::string& address : found) text += address + ' ';
    differs("addresses", text, "those of the result");
  }
}

}  // namespace

void expect_traces(const Model& model, const Sight& sight) {
  std::map<int, std::size_t> reserved;
  for (const Trace& trace : sight.traces) {
    int place = place_of(model, trace);
    if (place >= 0 && trace.what.starts_with("reservation")) ++reserved[place];
    if (place >= 0 && model.life(place).state != State::none) continue;
    // Made and not written yet when its plugin was killed: the DEL of that one knows.
    if (trace.container.empty() && is_unknown_on(model, trace.network)) continue;
    const std::string kind = trace.what.substr(0, trace.what.find(' '));
    throw Broken("left: " + kind, trace.what + " of " + trace.network + '/' + trace.container +
                                      '/' + trace.if_name + " is left, which is gone");
  }
  for (int i = 0; i < model.places(); ++i) {
    const Life& life = model.life(i);
    if (life.state != State::alive || life.foreign) continue;
    if (reserved[i] != life.addresses.size()) {
      throw Broken("reservations", named(model, i) + " lives and has " +
                                       std::to_string(reserved[i]) + " reservations");
    }
  }
  for (const std::string& rule : sight.rules) {
    for (int container = 0; container < model.scenario().containers; ++container) {
      const std::string name = container_name(container);
      if (rule.find("\\\"" + name + "\\\"") == rule.npos &&
          rule.find('"' + name + '"') == rule.npos)
        continue;
      bool lives = false;
      for (int i = 0; i < model.places(); ++i) {
        lives =
            lives || (model.place(i).container == container && model.life(i).state != State::none);
      }
      if (!lives) throw Broken("left: rule", "rule of " + name + " is left:" + rule);
    }
  }
}

void expect_inside(const Model& model, int container, int netns) {
  const auto links = links_inside(netns);
  for (int i = 0; i < model.places(); ++i) {
    if (model.place(i).container != container) continue;
    const std::string& if_name = model.place(i).if_name;
    const Life& life = model.life(i);
    const bool exists = std::ranges::find(links, if_name) != links.end();
    if (life.state == State::alive && !exists) {
      throw Broken("inside: no link", named(model, i) + " lives, its interface is gone");
    }
    if (life.state == State::none && exists) {
      throw Broken("inside: link", named(model, i) + " is no more, its interface is there");
    }
    if (life.state == State::alive) expect_interface(model, i, look_inside(netns, if_name));
  }
  for (const std::string& link : links) {
    bool known = false;
    for (int i = 0; i < model.places(); ++i) {
      known = known || (model.place(i).container == container && model.place(i).if_name == link);
    }
    if (!known) throw Broken("inside: foreign", container_name(container) + " has a link " + link);
  }
  expect_settings(model, container, netns);
}

void expect_answer(const Expectation& expected, const KnockAnswer& answer) {
  const auto list = [](const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
      text += (text.empty() ? "" : " or ") + (name.empty() ? std::string("nobody") : name);
    }
    return text;
  };
  const std::string knock = expected.who + " to " + expected.knock.to + " port " +
                            std::to_string(expected.knock.port) +
                            (expected.knock.transport == Transport::udp ? " (udp)" : "");
  if (!expected.servers.contains(answer.server)) {
    throw Broken(expected.kind, knock + ": " + (answer.server.empty() ? "nobody" : answer.server) +
                                    " answers, expected " + list(expected.servers));
  }
  if (answer.server.empty() || expected.seen.empty()) return;
  if (!expected.seen.contains(answer.seen)) {
    throw Broken(expected.kind + ", source",
                 knock + ": the server sees " + answer.seen + ", expected " + list(expected.seen));
  }
}

Snapshot host_snapshot() {
  Snapshot state = snapshot();
  std::erase_if(state, [](const auto& entry) {
    const std::string& key = entry.first;
    if (key.find(R"("family":"ip)") == key.npos) return false;
    return key.starts_with("nft table") ||
           (key.starts_with("nft chain") && key.find("\"hook\"") != key.npos);
  });
  return state;
}

}  // namespace unicni::test::world
