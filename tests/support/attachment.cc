#include "support/attachment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace unicni::test {

std::string stage() {
  const char* prefix = std::getenv("UNICNI_STAGE");
  if (prefix == nullptr || *prefix == '\0') {
    throw std::runtime_error(
        "UNICNI_STAGE is not set: it is the prefix of an installed unicni, root-owned and not "
        "writable by others (tools/test makes one)");
  }
  return prefix;
}

std::string bin_dir() { return stage() + "/libexec/cni"; }

Spawn Attachment::spawn(const std::string& command, const Json& request) const {
  std::map<std::string, std::string> variables = {
      {"CNI_COMMAND", command},
      {"CNI_CONTAINERID", container_id},
      {"CNI_NETNS", netns},
      {"CNI_IFNAME", if_name},
      {"CNI_PATH", cni_path.empty() ? bin_dir() : cni_path},
      {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
  };
  for (const auto& [key, value] : env) variables[key] = value;
  Spawn spawn;
  const std::string name = type.empty() ? request.value("type", "unicni") : type;
  spawn.argv = {(folder.empty() ? bin_dir() : folder) + '/' + name};
  for (const auto& [key, value] : variables) spawn.env.push_back(key + '=' + value);
  spawn.in = request.dump();
  return spawn;
}

Output Attachment::del(const Json& prev_result) const {
  Json request = config;
  request["prevResult"] = prev_result;
  return call("DEL", request);
}

Output Attachment::check(const Json& prev_result) const {
  Json request = config;
  request["prevResult"] = prev_result;
  return call("CHECK", request);
}

Output Attachment::gc(const Json& valid) const {
  Json request = config;
  request["cni.dev/valid-attachments"] = valid;
  request["cni.dev/attachments"] = valid;
  return call("GC", request);
}

Json must_add(const Attachment& attachment) {
  const Output output = attachment.add();
  EXPECT_TRUE(output.ok()) << output.str();
  if (!output.ok()) return nullptr;
  return output.json();
}

void expect_silent_success(const Output& output) {
  EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_EQ(output.out, "");
}

Json expect_error(const Output& output, unsigned code) {
  EXPECT_EQ(output.signal, 0);
  EXPECT_GT(output.status, 0) << output.str();
  Json error = output.json();
  EXPECT_TRUE(error.is_object()) << output.out;
  if (!error.is_object()) return Json::object();
  EXPECT_TRUE(error.contains("cniVersion") && error["cniVersion"].is_string()) << error;
  EXPECT_TRUE(error.contains("code") && error["code"].is_number_unsigned()) << error;
  EXPECT_TRUE(error.contains("msg") && error["msg"].is_string() && error["msg"] != "") << error;
  const unsigned actual = error.value("code", 0U);
  if (code != 0) {
    EXPECT_EQ(actual, code) << error;
  } else {
    EXPECT_NE(actual, 0U) << error;
  }
  return error;
}

Json valid_entry(const Attachment& attachment) {
  return {{"containerID", attachment.container_id}, {"ifname", attachment.if_name}};
}

Json mynet() {
  return Json::parse(R"({
    "cniVersion": "0.2.0", "name": "mynet", "type": "bridge", "bridge": "cni0",
    "isGateway": true, "ipMasq": true,
    "ipam": {"type": "host-local", "subnet": "10.22.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}
  })");
}

Json with_version(Json config, const std::string& version) {
  config["cniVersion"] = version;
  return config;
}

}  // namespace unicni::test
