// A Runtime of tests: its plugins remember how they were called, its state is in a folder of its
// own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "runtime/plugins_for_test.h"
#include "unicni/runtime.h"

namespace unicni::runtime {

class Lines : public LogSink {
 public:
  void log(LogLevel, std::string_view, std::string_view text) noexcept override {
    all.append(text).append("\n");
  }
  void pass_on(std::string_view bytes) noexcept override { all.append(bytes); }
  std::string all;
};

class RuntimeTest : public ::testing::TestWithParam<Isolation> {
 protected:
  RuntimeTest() {
    for (const char* type : {"one", "two", "three"}) plugins_.install(type);
    options_.plugin_folders = {plugins_.folder()};
    options_.network_folder = state_ / "net.d";
    options_.folders.run = state_ / "run";
    options_.folders.cni_state = state_ / "cni";
    options_.isolation = GetParam();
    options_.log = &log_;
    options_.environment = {{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNI_IFNAME=inherited"}};
    runtime_.emplace(options_);
  }
  static std::string list(const std::string& version, const std::string& more = "",
                          const std::string& of_two = "") {
    return R"({"cniVersion":")" + version + R"(","name":"net",)" + more +
           R"("plugins":[{"type":"one"},{"type":"two")" + of_two + R"(},{"type":"three"}]})";
  }
  static NetworkConfig network(const std::string& version = "1.1.0", const std::string& more = "",
                               const std::string& of_two = "") {
    return Runtime::parse_network(list(version, more, of_two));
  }
  [[nodiscard]] std::string entry(const std::string& name = "net-c1-eth0") const {
    return state_ / ("cni/results/" + name);
  }
  [[nodiscard]] std::string content(const std::string& path) const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  /// The list by another hand than the runtime's: what the plugins saw before doesn't count.
  void attach(const NetworkConfig& network, const RuntimeConf& conf) {
    runtime_->add(network, conf);
    plugins_.forget();
  }
  [[nodiscard]] bool is_in_process() const { return GetParam() == Isolation::in_process; }

  TempFolder state_;
  Plugins plugins_;
  Lines log_;
  RuntimeOptions options_;
  std::optional<Runtime> runtime_;
  const RuntimeConf conf_{"c1", "/run/netns/none", "eth0"};
};

}  // namespace unicni::runtime
