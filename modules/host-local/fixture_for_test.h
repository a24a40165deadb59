// What the tests of host-local call it with.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/error_for_test.h"
#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "config.h"
#include "interface/fake_host_for_test.h"
#include "unicni/ipam/store.h"
#include "unicni/module.h"
#include "unicni/sys/file.h"
#include "unicni/undo/reservation.h"

extern "C" const unicni::ModuleDescriptor unicni_module_host_local;

namespace unicni::host_local {

inline ipam::RangeConfig subnet(const std::string& text) {
  ipam::RangeConfig range;
  range.subnet = ip_net(text);
  return range;
}

/// `count` processes at once, of which each does `work(its number)`; all must succeed.
template <class Work>
void at_once(int count, const Work& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child > 0) {
      children.push_back(child);
      continue;
    }
    int status = 1;
    try {
      status = work(i) ? 0 : 1;
    } catch (const std::exception&) {
      status = 2;
    }
    ::_exit(status);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
}

class HostLocalTest : public ::testing::Test {
 protected:
  HostLocalTest() {
    options.data_dir = data_dir();
    call.key.network = "mynet";
    call.spec_version = "1.1.0";
    call.type = "host-local";
    call.key.container_id = "ctr1";
    call.key.if_name = "eth0";
    call.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    call.parsed_options = &options;
  }

  [[nodiscard]] std::string data_dir() const { return folder / "networks"; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return data_dir() + "/mynet/" + name;
  }
  [[nodiscard]] std::string get(const std::string& name) const {
    return sys::read_file(path(name)).value_or("(absent)");
  }
  void put(const std::string& name, const std::string& content) const {
    sys::ensure_folder(data_dir() + "/mynet", 0755);
    sys::write_file_atomically(path(name), content, 0600);
  }

  [[nodiscard]] Undo undo_of(const std::string& address, const std::string& container) const {
    return undo_reservation(data_dir(), "mynet", ip(address), container + "\r\neth0",
                            options.quarantine > 0);
  }

  Module& called(Command command) {
    call.command = command;
    if (command != Command::del) module->validate(call);
    return *module;
  }
  Result add(const std::string& container = "ctr1", const std::string& if_name = "eth0") {
    call.key.container_id = container;
    call.key.if_name = if_name;
    return called(Command::add).add(call, host);
  }
  /// ADD's addresses as text, or the message of its Error.
  std::string try_add(const std::string& container = "ctr1", const std::string& if_name = "eth0") {
    try {
      std::string text;
      for (const IpConfig& each : add(container, if_name).ips) {
        text += (text.empty() ? "" : " ") + each.address.str();
      }
      return text;
    } catch (const Error& error) {
      return error.msg();
    }
  }
  void del(const std::string& container = "ctr1", const std::string& if_name = "eth0") {
    call.key.container_id = container;
    call.key.if_name = if_name;
    called(Command::del).del(call, host);
  }
  void check() { called(Command::check).check(call, host); }
  void gc() { called(Command::gc).gc(call, host); }
  void status() { called(Command::status).status(call, host); }

  TempFolder folder;
  HostLocalOptions options;
  Call call;
  FakeHost host;
  std::unique_ptr<Module, void (*)(Module*) noexcept> module{unicni_module_host_local.create(),
                                                             unicni_module_host_local.destroy};
};

}  // namespace unicni::host_local
