#include "integration/differential.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

namespace unicni::test {

namespace {

namespace fs = std::filesystem;
using State = std::map<std::string, std::string>;

struct Side {
  State add;
  State check;
  State del;
};

bool has_word(const std::string& words, const std::string& word) {
  return (' ' + words + ' ').find(' ' + word + ' ') != std::string::npos;
}

/// Indices, counters, what follows the CPUs' number, carrier, time or a random MAC.
bool is_transient_field(const std::string& key) {
  return has_word(
             "ifindex link_index link_netnsid operstate stats stats64 promiscuity allmulti state "
             "num_tx_queues num_rx_queues bridge_id root_id designated_bridge designated_root "
             "address permaddr valid_life_time preferred_life_time tentative dadfailed expires "
             "fdb_n_learned",
             key) ||
         key.ends_with("_timer") || key.starts_with("topology_change");
}

bool is_link_local(const std::string& text) {
  return text.starts_with("fe80") || text.starts_with("ff00") || text.starts_with("169.254.");
}

void flatten(State& state, const std::string& key, const Json& json) {
  if (json.is_object()) {
    if (json.empty()) state[key] = "{}";
    for (const auto& [name, value] : json.items()) flatten(state, key + ' ' + name, value);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) {
      flatten(state, key + ' ' + std::to_string(i), json[i]);
    }
  } else {
    state[key] = json.is_string() ? json.get<std::string>() : json.dump();
  }
}

/// Names of one host that differ on each: random host ends and MACs.
class Names {
 public:
  explicit Names(std::string given) : given_(std::move(given)) {}

  /// Links of a namespace, host first.
  void learn(const Json& links) {
    static const std::regex random_name("veth[0-9a-f]{8}");
    for (const Json& link : links) {
      std::string name = link.value("ifname", "");
      if (std::regex_match(name, random_name) && !names_.contains(name)) {
        names_[name] = "veth" + std::to_string(++veths_);
      }
      if (names_.contains(name)) name = names_.at(name);
      const std::string mac = link.value("address", "");
      if (given_.find(mac) == std::string::npos) names_.emplace(mac, "mac of " + name);
    }
  }
  [[nodiscard]] std::string stable(std::string text) const {
    for (const auto& [random, name] : names_) {
      for (auto at = text.find(random); !random.empty() && at != std::string::npos;
           at = text.find(random, at + name.size())) {
        text.replace(at, random.size(), name);
      }
    }
    return text;
  }

 private:
  std::string given_;
  std::map<std::string, std::string> names_;
  int veths_ = 0;
};

/// In the namespace, as /proc/sys/net is the reading task's.
void put_sysctls(State& state, const std::string& where, int netns,
                 const std::vector<std::string>& links) {
  std::thread([&] {
    if (netns >= 0 && ::setns(netns, CLONE_NEWNET) != 0) throw std::runtime_error("setns");
    const auto put = [&](const fs::path& path) {
      if (path.filename() == "stable_secret") return;  // EIO unless it was set
      std::string text = read_file(path);
      while (!text.empty() && text.back() == '\n') text.pop_back();
      state[where + " sysctl " + path.string().substr(std::string("/proc/sys/net/").size())] = text;
    };
    put("/proc/sys/net/ipv4/ip_forward");
    for (std::string folder : {"/proc/sys/net/ipv4/conf/", "/proc/sys/net/ipv6/conf/"}) {
      for (const std::string& link : links) {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(folder + link, none)) put(entry.path());
      }
    }
  }).join();
}

void put_links(State& state, const std::string& where, const Json& links) {
  for (Json link : links) {
    std::string key = where + " link " + link.value("ifname", "") + ' ';
    state[key + "address"] = link.value("address", "");
    std::set<std::string> flags;
    for (const Json& flag : link.value("flags", Json::array())) flags.insert(flag);
    link.erase("flags");
    link.erase("addr_info");
    for (const std::string& flag : flags) {
      if (!has_word("NO-CARRIER LOWER_UP", flag)) state[key + flag] = "on";
    }
    const std::string kind =
        link.contains("linkinfo") ? link["linkinfo"].value("info_kind", "") : "";
    State fields;
    flatten(fields, "", link);
    for (const auto& [path, value] : fields) {
      if (!is_transient_field(path.substr(path.rfind(' ') + 1)))
        state[key + path.substr(1)] = value;
    }
    state[key + "kind"] = kind;
  }
}

void put_addresses(State& state, const std::string& where, const Json& links) {
  for (const Json& link : links) {
    for (const Json& address : link.value("addr_info", Json::array())) {
      if (is_link_local(address.value("local", ""))) continue;
      const std::string key = where + " addr " + link.value("ifname", "") + ' ' +
                              address.value("local", "") + '/' +
                              std::to_string(address.value("prefixlen", 0));
      state[key] = "yes";
      for (const auto& [name, value] : address.items()) {
        if (has_word("family local prefixlen", name) || is_transient_field(name)) continue;
        flatten(state, key + ' ' + name, value);
      }
    }
  }
}

/// Routes, and rules, whose lines begin with their preference.
void put_lines(State& state, const std::string& where, const std::string& family,
               const std::string& text) {
  static const std::regex transient(" (linkdown|pref medium|expires [0-9]+sec|dead|error [-0-9]+)");
  static const std::regex rule("^[0-9]+:");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = std::regex_replace(line, transient, "");
    while (line.ends_with(' ')) line.pop_back();
    std::istringstream words(line);
    std::string type;
    std::string destination;
    words >> type >> destination;
    if (line.empty() || is_link_local(destination)) continue;
    const char* noun = std::regex_search(line, rule) ? " rule " : " route ";
    std::string& count = state[where + noun + family + ' ' + line];
    count = count.empty() ? "yes" : count + " yes";
  }
}

/// As few processes as can be: on the second kernel each costs a tenth of a second.
void put_routes(State& state, const std::string& where, int netns) {
  for (const char* family : {"-4", "-6"}) {
    const Output output = run({.argv = {"ip", family, "-d", "-batch", "-"},
                               .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                               .in = "route show table all\nrule\n",
                               .netns = netns});
    EXPECT_TRUE(output.ok()) << output.str();
    put_lines(state, where, family, output.out);
  }
}

bool any_tentative(const Json& links) {
  for (const Json& link : links) {
    for (const Json& address : link.value("addr_info", Json::array())) {
      if (address.value("tentative", false) && !is_link_local(address.value("local", ""))) {
        return true;
      }
    }
  }
  return false;
}

/// `ip -d -j addr`, once no address is tentative: until then its routes aren't there. On a link
/// without carrier that never ends.
Json settled_links(int netns) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  for (;;) {
    Json links = tool_json({"ip", "-d", "-j", "addr"}, netns);
    if (!any_tentative(links) || std::chrono::steady_clock::now() > until) return links;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

/// Qdiscs that somebody made, and what filters them. Few links have such.
void put_qdiscs(State& state, const std::string& where, int netns) {
  static const std::regex device(" dev ([^ ]+)");
  const auto put = [&](const char* noun, const std::string& name, std::string line) {
    line.erase(line.find_last_not_of(" \t") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    std::string& count = state[where + ' ' + noun + ' ' + name + ' ' + line];
    count = count.empty() ? "yes" : count + " yes";
  };
  std::istringstream qdiscs(tool({"tc", "qdisc", "show"}, netns).out);
  for (std::string line; std::getline(qdiscs, line);) {
    std::smatch name;
    if (line.starts_with("qdisc noqueue 0:") || !std::regex_search(line, name, device)) continue;
    const std::string link = name[1];
    put("qdisc", link, std::regex_replace(line, device, ""));
    if (!line.starts_with("qdisc ingress")) continue;
    std::istringstream filters(tool({"tc", "filter", "show", "dev", link, "ingress"}, netns).out);
    for (std::string filter; std::getline(filters, filter);) {
      if (!filter.empty()) put("filter", link, filter);
    }
  }
}

void put_files(State& state) {
  std::error_code none;
  for (const char* folder : {"/var/lib/cni", "/run/cni"}) {
    for (const auto& entry : fs::recursive_directory_iterator(folder, none)) {
      const std::string name = entry.path().filename();
      if (!entry.is_regular_file() || name.starts_with('.') || name == "lock") continue;
      state["file " + entry.path().string()] = read_file(entry.path());
    }
  }
}

/// Chains, and rules with their places.
void put_iptables(State& state) {
  for (const std::string program : {"iptables", "ip6tables"}) {
    for (const std::string table : {"nat", "filter"}) {
      std::istringstream lines(tool({program, "-t", table, "-S"}).out);
      std::map<std::string, int> places;
      for (std::string line; std::getline(lines, line);) {
        const std::string chain = line.substr(0, line.find(' ', 3));
        std::string& place = state["host " + program + ' ' + table + ' ' + line];
        place += (place.empty() ? "" : " ") + std::to_string(++places[chain]);
      }
    }
  }
}

State state_of(const Container& container, Names& names, const Output& output, const Json& result,
               bool iptables) {
  State state;
  state["result"] = output.ok() ? "ok" : "refused";
  if (output.ok() && !result.is_null()) flatten(state, "result", result);
  const Json host = settled_links(-1);
  const Json inside = settled_links(container.fd());
  names.learn(host);
  names.learn(inside);
  for (const auto& [where, netns, links] :
       {std::tuple("host", -1, &host), std::tuple("container", container.fd(), &inside)}) {
    put_links(state, where, *links);
    put_addresses(state, where, *links);
    put_routes(state, where, netns);
    put_qdiscs(state, where, netns);
    std::vector<std::string> link_names{"all"};
    for (const Json& link : *links) link_names.push_back(link.value("ifname", ""));
    put_sysctls(state, where, netns, link_names);
  }
  put_files(state);
  if (iptables) put_iptables(state);
  State stable;
  for (const auto& [key, value] : state) {
    stable[names.stable(key)] = names.stable(value);
  }
  return stable;
}

/// What the reference's documents say, in the form of a plugin's answers.
Output run_model(const Differential& of, const Attachment& job, const Container& container) {
  const Json result = of.model(job, container);
  Output output;
  output.status = result.is_null() ? 1 : 0;
  output.out = result.is_null() ? "{}" : result.dump();
  return output;
}

Output delete_model(const Attachment& job, const Container& container) {
  Output output;
  output.status = 0;
  if (job.config.value("ipam", Json::object()).contains("type")) {
    Attachment ipam = job;
    ipam.type = job.config["ipam"]["type"];
    output = ipam.del();
  }
  static_cast<void>(container.succeeds({"ip", "link", "del", job.if_name}));
  return output;
}

/// What of a chain has been added, in order, with the result of the last.
struct Members {
  std::vector<Attachment> jobs;
  Json result;
};

/// ADD of the first that fails, or of the last.
Output add_chain(const Differential& of, Members& members) {
  Output added = members.jobs.front().add();
  for (const Json& plugin : of.chain) {
    if (!added.ok()) break;
    members.result = added.json();
    Attachment next = members.jobs.front();
    next.config = plugin;
    for (const char* key : {"cniVersion", "name"}) next.config[key] = of.config[key];
    next.config["prevResult"] = members.result;
    members.jobs.push_back(next);
    added = next.add();
  }
  if (added.ok()) members.result = added.json();
  return added;
}

std::string name_of(const Members& members, std::size_t i) {
  return "member " + std::to_string(i) + ", " + members.jobs[i].config["type"].get<std::string>();
}

void check_chain(const Members& members, State& state) {
  for (std::size_t i = 0; i < members.jobs.size(); ++i) {
    const Output output = members.jobs[i].check(members.result);
    state["CHECK of " + name_of(members, i)] = output.ok() ? "ok" : "refused";
  }
}

/// All of them, whoever fails: as a runtime that tries again until nothing does.
std::map<std::string, std::string> delete_chain(const Members& members) {
  State state;
  for (std::size_t i = members.jobs.size(); i-- > 0;) {
    const Attachment& job = members.jobs[i];
    const Output output = members.result.is_null() ? job.del() : job.del(members.result);
    state[name_of(members, i)] = output.ok() ? "ok" : "refused";
  }
  return state;
}

Side attach_and_detach_chain(const Differential& of, const Attachment& first,
                             const Container& container, Names& names) {
  Members members{.jobs = {first}, .result = {}};
  const Output added = add_chain(of, members);
  Side side;
  side.add = state_of(container, names, added, members.result, of.iptables);
  if (added.ok() && of.config["cniVersion"] >= "0.4") check_chain(members, side.check);
  const State removed = delete_chain(members);
  side.del = state_of(container, names, added, Json(), of.iptables);
  side.del.insert(removed.begin(), removed.end());
  return side;
}

Side attach_and_detach(const Differential& of, bool reference) {
  const Sandbox host;
  const Container container("c1");
  Attachment job{.config = of.config, .netns = container.path(), .if_name = of.if_name};
  job.env = of.env;
  if (reference) {
    job.folder = kReferenceDir;
    job.cni_path = kReferenceDir;
  }
  if (of.prepare) of.prepare(container, job.config);
  const bool model = reference && of.model;
  std::string given = job.config.dump();
  for (const auto& [key, value] : of.env) given += value + ' ';
  for (const Json& plugin : of.chain) given += plugin.dump() + ' ';
  Names names(given);

  if (!of.chain.empty()) return attach_and_detach_chain(of, job, container, names);
  const Output added = model ? run_model(of, job, container) : job.add();
  const Json result = added.ok() ? added.json() : Json();
  Side side;
  side.add = state_of(container, names, added, result, of.iptables);
  const Output removed =
      model ? delete_model(job, container) : (result.is_null() ? job.del() : job.del(result));
  side.del = state_of(container, names, removed, Json(), of.iptables);
  return side;
}

std::vector<std::string> compare(const Differential& of, State reference, State ours) {
  const bool refused = reference["result"] == "refused" || ours["result"] == "refused";
  if (refused && !of.leaks_of_refusals) {
    for (State* state : {&reference, &ours}) {
      std::erase_if(*state, [](const auto& each) { return each.first != "result"; });
    }
  }
  std::set<std::string> keys;
  for (const auto& each : reference) keys.insert(each.first);
  for (const auto& each : ours) keys.insert(each.first);
  std::vector<std::string> lines;
  const auto value = [](const State& state, const std::string& key) {
    const auto found = state.find(key);
    return found == state.end() ? std::string("-") : found->second;
  };
  for (const std::string& key : keys) {
    const std::string theirs = value(reference, key);
    const std::string own = value(ours, key);
    if (theirs != own) lines.push_back(key + ": " + theirs + " | " + own);
  }
  return lines;
}

}  // namespace

Differential::Lines Differential::run() const {
  const Side reference = attach_and_detach(*this, true);
  const Side ours = attach_and_detach(*this, false);
  return {compare(*this, reference.add, ours.add), compare(*this, reference.check, ours.check),
          compare(*this, reference.del, ours.del)};
}

}  // namespace unicni::test
