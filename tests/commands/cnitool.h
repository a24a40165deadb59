// cnitool on a host of its own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "support/sandbox.h"

namespace unicni::test {

class CnitoolTest : public ::testing::Test {
 protected:
  static constexpr const char* kNetworks = "/run/net.d";

  CnitoolTest() { std::filesystem::create_directory(kNetworks); }

  /// With the installed plugins and the networks of kNetworks, unless `env`, which comes first,
  /// says otherwise.
  static Output cnitool(std::vector<std::string> arguments, std::vector<std::string> env = {}) {
    const auto has = [&](const std::string& name) {
      return std::any_of(env.begin(), env.end(),
                         [&](const std::string& each) { return each.starts_with(name + '='); });
    };
    if (!has("CNI_PATH")) env.push_back("CNI_PATH=" + bin_dir());
    if (!has("NETCONFPATH")) env.push_back(std::string("NETCONFPATH=") + kNetworks);
    return command("cnitool", std::move(arguments), std::move(env));
  }

  static void put(const std::string& file, const Json& config) {
    write_file(std::string(kNetworks) + '/' + file, config.dump());
  }
  /// A bridge and a firewall, with addresses of 10.7.0.0/24.
  static Json list() {
    return {{"cniVersion", "1.1.0"},
            {"name", "mynet"},
            {"plugins",
             {{{"type", "bridge"},
               {"bridge", "cni0"},
               {"ipam", {{"type", "host-local"}, {"subnet", "10.7.0.0/24"}}}},
              {{"type", "firewall"}}}}};
  }
  /// A list of one plugin that is the recorder.
  static Json recorded(const std::string& version = "1.1.0") {
    return {{"cniVersion", version},
            {"name", "mynet"},
            {"plugins", {{{"type", "remember"}, {"capabilities", {{"ips", true}}}}}}};
  }
  static std::vector<std::string> results() {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator("/var/lib/cni/results", none)) {
      names.push_back(file.path().filename());
    }
    return names;
  }

  Sandbox sandbox_;
};

}  // namespace unicni::test
