#include "sdk/author.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace unicni::test {

namespace fs = std::filesystem;

Author::Author() {
  for (const char* folder : {"lib/unicni/modules", "libexec/cni"}) {
    fs::create_directories(fs::path(prefix_) / folder);
    fs::copy(fs::path(stage()) / folder, fs::path(prefix_) / folder,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
}

std::string Author::build(const std::string& source, const std::vector<std::string>& options) {
  const std::string folder = "/run/build" + std::to_string(++builds_);
  std::vector<std::string> configure = {"cmake", "-S", source, "-B", folder};
  configure.push_back("-DCMAKE_PREFIX_PATH=" + stage());
  configure.insert(configure.end(), options.begin(), options.end());
  tool(configure);
  tool({"cmake", "--build", folder, "--parallel", "2"});
  tool({"cmake", "--install", folder, "--prefix", prefix_});
  return folder;
}

void Author::link() const {
  const Output output = unictl({"install", "--bin-dir", bin(), "--executable", bin() + "/unicni"});
  ASSERT_EQ(output.status, 0) << output.str();
}

Attachment Author::attachment(const Container& container, const std::string& config) const {
  return {
      .config = Json::parse(config), .netns = container.path(), .folder = bin(), .cni_path = bin()};
}

Output unictl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), stage() + "/bin/unictl");
  return run({.argv = std::move(arguments), .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
}

}  // namespace unicni::test
