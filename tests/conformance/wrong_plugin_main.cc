// Plugins that are wrong, each in one requirement. A file named "<plugin>+<requirement>" calls
// "real/<plugin>" beside it and spoils what goes in or comes out.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "probe/json.h"
#include "probe/process.h"

namespace unicni::conformance {
namespace {

using probe::Json;
using probe::Output;
using probe::parse_json;

/// A call of the plugin.
struct Request {
  std::map<std::string, std::string> env;
  std::string in;
  bool without_stdin = false;

  [[nodiscard]] std::string var(const std::string& name) const {
    const auto found = env.find(name);
    return found == env.end() ? std::string() : found->second;
  }
  [[nodiscard]] bool is(const std::string& command) const { return var("CNI_COMMAND") == command; }
  [[nodiscard]] Json config() const {
    Json config = parse_json(in);
    return config.is_object() ? config : Json::object();
  }
  void set(const Json& config) { in = config.dump(); }
  [[nodiscard]] std::string version() const { return config().value("cniVersion", ""); }
};

Output success(const std::string& out = {}) {
  Output output;
  output.status = 0;
  output.out = out;
  return output;
}

Output failure(const Request& request, int code) {
  Output output;
  output.status = 1;
  output.out = Json{{"cniVersion", request.version()}, {"code", code}, {"msg", "wrong"}}.dump();
  return output;
}

using Before = std::function<void(Request&)>;
using After = std::function<void(const Request&, Output&)>;
/// An answer instead of the plugin's; status -1 is none.
using Instead = std::function<Output(const Request&)>;

struct Flaw {
  Before before = nullptr;
  Instead instead = nullptr;
  After after = nullptr;
};

/// Changes the result of a successful ADD.
Flaw result_changed(const std::function<void(const Request&, Json&)>& change) {
  return {.after = [=](const Request& request, Output& output) {
    Json result = parse_json(output.out);
    if (!request.is("ADD") || !output.ok() || !result.is_object()) return;
    change(request, result);
    output.out = result.dump();
  }};
}

/// Answers what `when` says by itself.
Flaw answers(const std::function<bool(const Request&)>& when,
             const std::function<Output(const Request&)>& answer) {
  return {.instead = [=](const Request& request) {
    return when(request) ? answer(request) : Output{};
  }};
}

Flaw succeeds_when(const std::function<bool(const Request&)>& when) {
  return answers(when, [](const Request&) { return success(); });
}

Flaw fails_when(const std::function<bool(const Request&)>& when) {
  return answers(when, [](const Request& request) { return failure(request, 100); });
}

Flaw config_changed(const std::function<void(Json&)>& change) {
  return {.before = [=](Request& request) {
    Json config = request.config();
    change(config);
    if (!config.empty()) request.set(config);
  }};
}

/// Where the suite doesn't look for what a plugin leaves.
std::string note_of(const Request& request) {
  return "/run/conformance/added-" + request.var("CNI_CONTAINERID");
}

std::map<std::string, Flaw> flaws() {
  std::map<std::string, Flaw> all;
  all["VERN-02"] = {.after = [](const Request& request, Output& output) {
    if (!request.is("VERSION")) return;
    Json answer = parse_json(output.out);
    answer["cniVersion"] = "1.1.0";
    output.out = answer.dump();
  }};
  all["VERN-03"] = fails_when([](const Request& r) { return r.is("VERSION") && r.in == "[1]"; });
  all["VERN-07"] = config_changed([](Json& config) {
    if (config.value("cniVersion", Json()) == "1.0") config["cniVersion"] = "1.0.0";
  });
  all["CONF-03"] = config_changed([](Json& config) {
    if (config.contains("name")) config["name"] = "conf";
  });
  all["EXEC-07"] = {.before = [](Request& request) {
    std::string& id = request.env["CNI_CONTAINERID"];
    if (id == "a b") id = "a-b";
  }};
  all["EXEC-08"] = {.before = [](Request& request) {
    std::string& name = request.env["CNI_IFNAME"];
    if (name.size() > 15) name.resize(15);
  }};
  all["EXEC-09"] = {.before = [](Request& request) {
    if (request.is("add")) request.env["CNI_COMMAND"] = "ADD";
  }};
  all["EXEC-13"] = {.before = [](Request& request) {
    if (request.in.empty() && !request.is("VERSION")) request.in = "{}";
  }};
  all["EXEC-17"] = {.after = [](const Request& request, Output& output) {
    if (request.is("ADD") && request.in == "{}") output.status = 0;
  }};
  all["OUT-01"] = {.after = [](const Request& request, Output& output) {
    if (request.is("ADD") && output.ok()) output.out += "\ndone\n";
  }};
  all["OUT-02"] = {.after = [](const Request& request, Output& output) {
    if (request.is("DEL") && output.ok()) output.out = "{}";
  }};
  all["OUT-03"] = {.after = [](const Request&, Output& output) {
    if (!output.ok()) std::swap(output.out, output.err);
  }};
  all["ERR-01"] = {.after = [](const Request&, Output& output) {
    if (output.ok()) return;
    Json error = parse_json(output.out);
    error.erase("cniVersion");
    output.out = error.dump();
  }};
  all["ARGS-07"] = fails_when(
      [](const Request& r) { return r.var("CNI_ARGS").find("K8S_POD_UID") != std::string::npos; });
  all["REQ-04"] = fails_when([](const Request& r) { return r.config().contains("capabilities"); });
  all["ADD-04"] = result_changed([](const Request& request, Json& result) {
    const bool prev = request.config().contains("prevResult");
    if (prev && result.contains("interfaces")) result["interfaces"][0].erase("mac");
  });
  all["DEL-02"] = {.instead =
                       [](const Request& request) {
                         const bool fails =
                             request.is("DEL") && !std::filesystem::exists(note_of(request));
                         return fails ? failure(request, 100) : Output{};
                       },
                   .after =
                       [](const Request& request, Output& output) {
                         if (!output.ok()) return;
                         if (request.is("ADD")) std::ofstream(note_of(request)) << "there";
                         if (request.is("DEL")) std::filesystem::remove(note_of(request));
                       }};
  all["DEL-04"] = fails_when([](const Request& r) {
    return r.is("DEL") && r.config().value("prevResult", Json()) == Json::object();
  });
  all["DEL-05"] =
      fails_when([](const Request& r) { return r.is("DEL") && r.var("CNI_NETNS").empty(); });
  all["CHK-01"] =
      succeeds_when([](const Request& r) { return r.is("CHECK") && r.version() < "0.4"; });
  all["CHK-03"] =
      succeeds_when([](const Request& r) { return r.is("CHECK") && r.version() >= "0.4"; });
  all["CHK-10"] = {.after = [](const Request& request, Output&) {
    if (request.is("CHECK")) std::ofstream("/run/checked") << request.var("CNI_CONTAINERID");
  }};
  all["STAT-03"] =
      succeeds_when([](const Request& r) { return r.is("STATUS") && r.version() < "1.1"; });
  all["STAT-04"] = fails_when(
      [](const Request& r) { return r.is("STATUS") && r.var("CNI_CONTAINERID") == "_ /"; });
  // It hangs once, which must not keep the suite.
  all["EXEC-21"] =
      answers([](const Request& r) { return r.is("STATUS") && r.var("CNI_CONTAINERID") == "_ /"; },
              [](const Request&) -> Output {
                ::pause();
                return success();
              });
  all["GC-02"] = {.before = [](Request& request) {
    Json config = request.config();
    if (!request.is("GC") || config.contains("cni.dev/valid-attachments")) return;
    config.erase("cni.dev/attachments");
    request.set(config);
  }};
  all["GC-03"] = {.before = [](Request& request) {
    Json config = request.config();
    if (!request.is("GC")) return;
    config["name"] = "conf";
    request.set(config);
  }};
  all["GC-05"] = succeeds_when([](const Request& r) { return r.is("GC") && r.version() < "1.1"; });
  all["GC-10"] = {.before = [](Request& request) {
    Json config = request.config();
    if (!request.is("GC") || config.contains("cni.dev/valid-attachments") ||
        config.contains("cni.dev/attachments")) {
      return;
    }
    config["cni.dev/valid-attachments"] = Json::array();
    request.set(config);
  }};
  all["IPAM-01"] = result_changed([](const Request& request, Json& result) {
    if (request.version() < "0.3") return;
    result["interfaces"] = Json::array({{{"name", "eth0"}}});
  });
  all["RES-11"] = result_changed([](const Request& request, Json& result) {
    if (request.config().contains("prevResult")) return;
    const Json interfaces = result.value("interfaces", Json::array());
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
      if (interfaces[i].contains("sandbox"))
        result["interfaces"][i]["sandbox"] = "/proc/self/ns/net";
    }
  });
  // What it told wrong it understands.
  all["RES-11"].before = [](Request& request) {
    Json config = request.config();
    if (!config.contains("prevResult") || !config["prevResult"].contains("interfaces")) return;
    for (Json& each : config["prevResult"]["interfaces"]) {
      if (each.contains("sandbox")) each["sandbox"] = request.var("CNI_NETNS");
    }
    request.set(config);
  };
  // No flaw of the specification: a process stays that holds stdout.
  all["daemon"] = {.after = [](const Request& request, Output&) {
    if (request.is("ADD") && ::fork() == 0) {
      ::setsid();
      ::execl("/bin/sleep", "unicni-left-behind", "1000", nullptr);
    }
  }};
  return all;
}

Request read_request() {
  Request request;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable = *entry;
    const auto equals = variable.find('=');
    request.env[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  char buffer[4096];
  for (;;) {
    const auto got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    request.without_stdin = got < 0;
    if (got <= 0) return request;
    request.in.append(buffer, static_cast<std::size_t>(got));
  }
}

int play(const std::filesystem::path& self) {
  const std::string name = self.filename();
  const std::size_t plus = name.find('+');
  const Flaw flaw = flaws().at(name.substr(plus + 1));
  Request request = read_request();
  if (flaw.before) flaw.before(request);
  Output output = flaw.instead ? flaw.instead(request) : Output{};
  if (output.status < 0) {
    probe::Spawn spawn{.argv = {self.parent_path() / "real" / name.substr(0, plus)},
                       .in = request.in,
                       .limit = probe::kUsualLimit};
    if (request.without_stdin) spawn.closed = {STDIN_FILENO};
    for (const auto& [key, value] : request.env) spawn.env.push_back(key + '=' + value);
    output = probe::run(spawn);
  }
  if (flaw.after) flaw.after(request, output);
  std::cerr << output.err;
  std::cout << output.out;
  return output.status;
}

}  // namespace
}  // namespace unicni::conformance

int main(int, char** argv) { return unicni::conformance::play(argv[0]); }
