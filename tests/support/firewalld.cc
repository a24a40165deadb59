#include "support/firewalld.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>
#include <stdexcept>

#include "support/sandbox.h"

namespace unicni::test {

namespace {

constexpr const char* kFirewalldPath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kSocket = "/run/dbus/system_bus_socket";
constexpr const char* kFolder = "/run/firewalld-for-test";
constexpr const char* kName = "org.fedoraproject.FirewallD1";
constexpr const char* kObject = "/org/fedoraproject/FirewallD1";

/// Everybody who may open the socket may do everything.
constexpr const char* kBusConfig =
    R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
)";

std::unique_ptr<Running> start_program(std::vector<std::string> argv) {
  return std::make_unique<Running>(
      Spawn{.argv = std::move(argv),
            .env = {kFirewalldPath, "DBUS_SYSTEM_BUS_ADDRESS=" + Firewalld::address()}});
}

void stop_program(std::unique_ptr<Running>& program) {
  constexpr std::chrono::seconds kPatience{10};
  if (!program) return;
  ::kill(program->pid(), SIGTERM);
  if (!program->ends_within(kPatience)) ADD_FAILURE() << "pid " << program->pid() << " stays";
  program.reset();  // reaps, and kills what stayed
}

Output dbus_call(const std::string& destination, const std::string& object,
                 const std::string& method, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"dbus-send",
                                   "--bus=" + Firewalld::address(),
                                   "--print-reply=literal",
                                   "--reply-timeout=20000",
                                   "--dest=" + destination,
                                   object,
                                   method};
  for (const std::string& each : arguments) argv.push_back("string:" + each);
  return run({.argv = argv, .env = {kFirewalldPath}});
}

Output must_call(const std::string& method, const std::vector<std::string>& arguments) {
  Output output = dbus_call(kName, kObject, kName + ("." + method), arguments);
  EXPECT_TRUE(output.ok()) << method << ": " << output.str();
  return output;
}

/// Asks again until `ready`; throws with what `program` printed if it ends instead, or takes too
/// long.
template <class Ready>
void await(std::unique_ptr<Running>& program, const char* what, const Ready& ready) {
  constexpr std::chrono::seconds kPatience{20};
  constexpr std::chrono::milliseconds kPause{10};
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!ready()) {
    const bool late = std::chrono::steady_clock::now() > end;
    if (!late && !program->ends_within(kPause)) continue;
    if (late) ::kill(program->pid(), SIGKILL);
    const std::string how = program->wait().str();
    program.reset();
    throw std::runtime_error(std::string(what) +
                             " doesn't start (packages dbus, firewalld?): " + how);
  }
}

}  // namespace

std::string Firewalld::address() { return std::string("unix:path=") + kSocket; }

Firewalld::Firewalld() {
  const std::string config = std::string(kFolder) + "/bus.conf";
  write_file(config, kBusConfig);
  write_file(std::string(kFolder) + "/etc/firewalld.conf",
             "DefaultZone=public\n"
             "NftablesTableOwner=no\n");  // by default from 2.1 on its table takes nobody's rules
  write_file(kSocket, "");                // makes the folder
  ::unlink(kSocket);
  bus_ = start_program(
      {"dbus-daemon", "--config-file=" + config, "--nofork", "--nopidfile", "--nosyslog"});
  await(bus_, "dbus-daemon", [] {
    return dbus_call("org.freedesktop.DBus", "/", "org.freedesktop.DBus.GetId", {}).ok();
  });
  start();
}

Firewalld::~Firewalld() {
  stop_program(firewalld_);
  stop_program(bus_);
}

void Firewalld::start() {
  const std::string folder = kFolder;
  firewalld_ = start_program({"firewalld", "--nofork", "--nopid", "--system-config",
                              folder + "/etc", "--log-file", folder + "/log"});
  await(firewalld_, "firewalld", [] {
    const Output output =
        dbus_call(kName, kObject, "org.freedesktop.DBus.Properties.Get", {kName, "state"});
    return output.ok() && output.out.find("RUNNING") != std::string::npos;
  });
}

void Firewalld::stop() { stop_program(firewalld_); }

void Firewalld::stop_bus() {
  stop_program(firewalld_);
  stop_program(bus_);
}

void Firewalld::reload() { must_call("reload", {}); }

std::vector<std::string> Firewalld::list_sources(const std::string& zone) const {
  // "   array [\n      10.1.0.2/32\n   ]"
  std::istringstream words(must_call("zone.getSources", {zone}).out);
  std::vector<std::string> sources;
  for (std::string word; words >> word;) {
    if (word != "array" && word != "[" && word != "]") sources.push_back(word);
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

void Firewalld::add_source(const std::string& zone, const std::string& source) {
  must_call("zone.addSource", {zone, source});
}

void Firewalld::remove_source(const std::string& zone, const std::string& source) {
  must_call("zone.removeSource", {zone, source});
}

}  // namespace unicni::test
