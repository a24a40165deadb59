#include "conformance/trial.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

namespace unicni::conformance {
namespace {

std::string numbered(std::string text, int number) {
  constexpr std::string_view kMark = "{n}";
  for (std::size_t at = 0; (at = text.find(kMark, at)) != text.npos;) {
    text.replace(at, kMark.size(), std::to_string(number));
  }
  return text;
}

/// A text "{n+8000}" as a whole becomes a number, such as a port.
void number_all(Json& json, int number) {
  if (json.is_string()) {
    const std::string text = json;
    if (text.starts_with("{n+") && text.ends_with('}')) {
      json = number + std::stoi(text.substr(3));
    } else {
      json = numbered(text, number);
    }
  }
  if (json.is_structured()) {
    for (Json& each : json) number_all(each, number);
  }
}

std::string link_of(const std::string& key) {
  const std::size_t from = key.find(' ') + 1;
  return key.substr(from, key.find(' ', from) - from);
}

bool is_of_a_link(const std::string& key) {
  return key.starts_with("link ") || key.starts_with("addr ") || key.starts_with("route ") ||
         key.starts_with("qdisc ");
}

std::string mac_of(const std::string& link, int netns) {
  for (const Json& each : tool_json({"ip", "-j", "link"}, netns)) {
    if (each.value("ifname", "") == link) return each.value("address", "");
  }
  return {};
}

/// A command of the profile.
void prepare(const std::vector<std::string>& command) {
  try {
    tool(command);
  } catch (const std::runtime_error& error) {
    throw CannotRun(std::string("profile: ") + error.what(), "");
  }
}

}  // namespace

Trial::Trial(const Subject& subject, const Check& check, std::chrono::milliseconds limit)
    : subject_(subject), limit_(limit) {
  for (const std::string& id : ids_of(check)) ids_.insert(id);
  for (const char* folder : {kSuiteFolder, kWorkingFolder}) {
    std::filesystem::create_directories(folder);
  }
  for (const auto& [path, text] : profile().files) write_file(path, text);
  for (const auto& command : profile().host) prepare(command);
}

std::string Trial::cni_path() const {
  std::string path;
  for (const std::string& folder : subject_.folders()) path += folder + ':';
  return path + kSuiteFolder;
}

Attachment Trial::make(int number, const std::string& version, const std::string& netns) {
  Attachment made{.config = profile().config, .netns = netns, .number = number};
  number_all(made.config, number);
  made.config["cniVersion"] = version.empty() ? subject_.newest() : version;
  made.cni_path = cni_path();
  for (std::vector<std::string> command : profile().per_attachment) {
    for (std::string& word : command) word = numbered(std::move(word), number);
    prepare(command);
  }
  return made;
}

Attachment Trial::attachment(const std::string& version) {
  const int number = ++made_;
  const std::string name = "c" + std::to_string(number);
  Attachment made = make(number, version, containers_.emplace_back(name).path());
  made.container_id = name;
  made.if_name = profile().if_name;
  if (profile().kind == Kind::chained) stand_before(made, number);
  return made;
}

Attachment Trial::nobody(const std::string& version) const {
  Attachment made{.config = profile().config};
  number_all(made.config, made.number);
  made.config["cniVersion"] = version.empty() ? subject_.newest() : version;
  made.cni_path = cni_path();
  return made;
}

void Trial::use_small_pool(Attachment& attachment) const {
  const Json version = attachment.config["cniVersion"];
  attachment.config = profile().small_pool;
  number_all(attachment.config, attachment.number);
  attachment.config["cniVersion"] = version;
}

/// Does what an interface plugin would have done, so that the chained one has a link to work on.
void Trial::stand_before(Attachment& attachment, int number) {
  const std::string host_end = "conf" + std::to_string(number);
  const std::string subnet = "10.1." + std::to_string(number) + '.';
  const Container& inside = container_of(attachment);
  const std::string& name = attachment.if_name;
  tool({"ip", "link", "add", host_end, "type", "veth", "peer", "name", name, "netns",
        inside.path().substr(inside.path().rfind('/') + 1)});
  tool({"ip", "addr", "add", subnet + "1/24", "dev", host_end});
  tool({"ip", "link", "set", host_end, "up"});
  tool({"ip", "addr", "add", subnet + "2/24", "dev", name}, inside.fd());
  tool({"ip", "link", "set", name, "up"}, inside.fd());
  tool({"ip", "route", "add", "default", "via", subnet + "1"}, inside.fd());
  std::string version = attachment.config.value("cniVersion", "");
  const auto& known = known_versions();
  // Of a check that asks for another one the configuration alone is to be refused.
  if (std::find(known.begin(), known.end(), version) == known.end()) version = subject_.newest();
  Json ip = {{"address", subnet + "2/24"}, {"gateway", subnet + "1"}, {"interface", 1}};
  if (version < "1") ip["version"] = "4";
  attachment.config["prevResult"] = {
      {"cniVersion", version},
      {"interfaces",
       Json::array(
           {{{"name", host_end}, {"mac", mac_of(host_end, -1)}},
            {{"name", name}, {"mac", mac_of(name, inside.fd())}, {"sandbox", attachment.netns}}})},
      {"ips", Json::array({ip})},
      {"routes", Json::array({{{"dst", "0.0.0.0/0"}, {"gw", subnet + "1"}}})}};
}

Container& Trial::container_of(const Attachment& attachment) {
  for (Container& each : containers_) {
    if (each.path() == attachment.netns) return each;
  }
  throw std::logic_error("no container " + attachment.netns);
}

std::vector<std::string> Trial::versions(const std::string& since) const {
  std::vector<std::string> versions = subject_.versions();
  const std::string from =
      profile().kind == Kind::chained ? std::max<std::string>(since, "0.3.0") : since;
  std::erase_if(versions, [&](const std::string& version) { return version < from; });
  return versions;
}

Spawn Trial::spawn(const Attachment& attachment, const std::string& command,
                   const Json& request) const {
  std::map<std::string, std::string> variables = {
      {"CNI_COMMAND", command},
      {"CNI_CONTAINERID", attachment.container_id},
      {"CNI_NETNS", attachment.netns},
      {"CNI_IFNAME", attachment.if_name},
      {"CNI_PATH", attachment.cni_path},
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
  };
  for (const auto& [key, value] : attachment.env) variables[key] = value;
  std::vector<std::string> env;
  for (const auto& [key, value] : variables) env.push_back(key + '=' + value);
  return bare_spawn(env, request.dump());
}

Spawn Trial::bare_spawn(const std::vector<std::string>& env, const std::string& in) const {
  return {.argv = {subject_.program()},
          .env = env,
          .in = in,
          .folder = kWorkingFolder,
          .own_session = true,
          .limit = limit_};
}

void Trial::count(const Spawn& spawn, const Output& output) {
  last_command_ = command_of(spawn);
  const std::string silence = silence_of(output, spawn.limit);
  if (silence.empty()) {
    ++calls_.answered;
    calls_.silent_in_a_row = 0;
    return;
  }
  ++calls_.silent_in_a_row;
  calls_.silent.push_back(last_command_ + ": " + silence);
}

Output Trial::call(const Spawn& spawn) {
  Output output = probe::run(spawn);
  count(spawn, output);
  if (calls_.silent_in_a_row > 0) throw NoAnswer(calls_.silent.back());
  return output;
}

std::vector<Output> Trial::call_at_once(const std::vector<Spawn>& spawns) {
  std::vector<probe::Running> running;
  running.reserve(spawns.size());
  for (const Spawn& spawn : spawns) running.emplace_back(spawn);
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < spawns.size(); ++i) {
    outputs.push_back(running[i].wait());
    count(spawns[i], outputs.back());
  }
  if (!calls_.silent.empty()) throw NoAnswer(calls_.silent.back());
  return outputs;
}

Output Trial::del(const Attachment& attachment, const Json& result) {
  Json request = attachment.config;
  request["prevResult"] = result;
  // A runtime that couldn't read the result has none to send.
  if (!result.is_object() || request.value("cniVersion", "") < "0.4") request.erase("prevResult");
  return call(attachment, "DEL", request);
}

Output Trial::check(const Attachment& attachment, const Json& result) {
  Json request = attachment.config;
  request["prevResult"] = result;
  return call(attachment, "CHECK", request);
}

Output Trial::gc(const Attachment& attachment, const Json& valid) {
  Json request = attachment.config;
  request["cni.dev/valid-attachments"] = valid;
  request["cni.dev/attachments"] = valid;
  return call(attachment, "GC", request);
}

Json Trial::must_add(const Attachment& attachment) {
  const Output output = add(attachment);
  Json result = parse_json(output.out);
  if (!output.ok() || !result.is_object()) {
    needs_working_add();  // one text for all that stumble over the same
    throw Blocked("ADD with cniVersion " + attachment.config.value("cniVersion", "absent") + ": " +
                  output.str());
  }
  return result;
}

void Trial::must_del(const Attachment& attachment, const Json& result) {
  const Output output = del(attachment, result);
  if (!output.ok()) throw Blocked("DEL: " + output.str());
}

void Trial::needs_working_add() const {
  if (!subject_.failing_add().empty()) {
    throw Blocked("ADD fails anyway: " + subject_.failing_add());
  }
}

void Trial::settle() {
  if (std::exchange(settled_, true)) return;
  const State before = host_state();
  const Attachment first = attachment();
  const Json result = must_add(first);
  must_del(first, result);
  if (profile().kind == Kind::chained) tool({"ip", "link", "del", "conf" + std::to_string(made_)});
  for (const auto& [key, value] : host_state()) {
    const auto found = before.find(key);
    if (found != before.end() && found->second == value) continue;
    shared_.insert(key);
    if (key.starts_with("link ")) shared_links_.insert(link_of(key));
  }
}

State Trial::without_shared(State state) const {
  std::erase_if(state, [&](const auto& entry) {
    const std::string& key = entry.first;
    if (shared_.contains(key)) return true;
    if (!is_of_a_link(key)) return false;
    const std::string link = link_of(key);
    const std::string& given = profile().given_away;
    return shared_links_.contains(link) || (!given.empty() && link.starts_with(given));
  });
  return state;
}

State Trial::host() {
  settle();
  return without_shared(host_state());
}

State Trial::around(const Attachment& attachment) {
  State state = host();
  for (const auto& [key, value] : kernel_state(container_of(attachment).fd())) {
    state["container's " + key] = value;
  }
  return state;
}

std::vector<std::string> Trial::taken() const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(profile().reservations, error)) {
    const std::string name = entry.path().filename();
    const bool cursor = name == "lock" || name.starts_with("last_reserved_ip.") || name[0] == '.';
    if (!cursor) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Trial::violated(const std::string& id, const std::string& text) {
  if (!ids_.contains(id)) throw std::logic_error("the check can't find " + id);
  findings_.push_back({id, text});
}

bool Trial::expect(bool fulfilled, const std::string& id, const std::string& text) {
  if (!fulfilled) violated(id, text);
  return fulfilled;
}

bool Trial::succeeds(const std::string& id, const Output& output, const std::string& doing) {
  // It fails, or succeeds without a result, whatever this check has changed.
  if (last_command_ == "ADD") needs_working_add();
  return expect(output.ok(), id, doing + " must succeed: " + output.str());
}

Json Trial::fails(const std::string& id, const Output& output, const std::string& doing, int code) {
  const bool failed = output.status > 0 && !output.hung;
  if (!expect(failed, id, doing + " must fail with an error: " + output.str())) {
    return Json::object();
  }
  Json error = parse_json(output.out);
  const bool has_code =
      error.is_object() && error.contains("code") && error["code"].is_number_integer();
  if (code == 0 || !has_code) is_unproven_ = is_unproven_ || !subject_.failing_add().empty();
  if (!has_code) return Json::object();  // whether errors are objects is OUT-03's and ERR-01's
  for (const char* text : {"msg", "details"}) {
    if (error.contains(text) && !error[text].is_string()) error.erase(text);  // ERR-01's
  }
  if (code != 0) {
    expect(error["code"] == code, id,
           doing + " must fail with code " + std::to_string(code) + ": " + output.str());
  }
  return error;
}

void Trial::same(const std::string& id, const State& before, const State& after,
                 const std::string& doing) {
  const std::string changed = difference(before, after);
  expect(changed.empty(), id, doing + ": " + changed);
}

void Trial::host_becomes(const std::string& id, const State& before, const std::string& doing) {
  State after = host();
  for (int tries = 0; tries < 20 && !difference(before, after).empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    after = host();
  }
  same(id, before, after, doing);
}

Json valid_entry(const Attachment& attachment) {
  return {{"containerID", attachment.container_id}, {"ifname", attachment.if_name}};
}

std::vector<std::string> addresses_in(const Json& result) {
  std::vector<std::string> addresses;
  for (const char* family : {"ip4", "ip6"}) {
    const Json ip = result.value(family, Json::object());
    if (ip.contains("ip")) addresses.push_back(ip["ip"]);
  }
  for (const Json& ip : result.value("ips", Json::array())) {
    addresses.push_back(ip.value("address", ""));
  }
  return addresses;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

}  // namespace unicni::conformance
