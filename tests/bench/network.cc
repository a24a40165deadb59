#include "network.h"

#include <stdexcept>
#include <utility>

namespace unicni::bench {

Network Network::bridge(std::string folder, const std::string& bridge, const std::string& subnet) {
  return {std::move(folder), "bridge",
          R"({"cniVersion":"1.0.0","name":")" + bridge + R"(","type":"bridge","bridge":")" +
              bridge + R"(","isDefaultGateway":true,"ipMasq":true,"ipam":{"type":"host-local",)" +
              R"("dataDir":"/run/bench-ipam","subnet":")" + subnet + R"("}})"};
}

Network Network::of_type(std::string folder, std::string type, const std::string& name,
                         const std::string& options, const std::string& subnet) {
  std::string config = R"({"cniVersion":"1.0.0","name":")" + name + R"(","type":")" + type + "\"," +
                       options + (options.empty() ? "" : ",") +
                       R"("ipam":{"type":"host-local","dataDir":"/run/bench-ipam","subnet":")" +
                       subnet + R"(","routes":[{"dst":"0.0.0.0/0"}]}})";
  return {std::move(folder), std::move(type), std::move(config)};
}

Command Network::verb(const char* name, const std::string& container, const ContainerNet& net,
                      std::string config) const {
  return {
      {folder_ + "/" + type_},
      {std::string("CNI_COMMAND=") + name, "CNI_CONTAINERID=" + container,
       "CNI_NETNS=" + net.path(), std::string("CNI_IFNAME=") + kLink, "CNI_PATH=" + folder_, kPath},
      std::move(config)};
}

std::string Network::with_result(const std::string& result) const {
  return config_.substr(0, config_.size() - 1) + ",\"prevResult\":" + result + "}";
}

Command Network::add(const std::string& container, const ContainerNet& net) const {
  return verb("ADD", container, net, config_);
}

Command Network::check(const std::string& container, const ContainerNet& net,
                       const std::string& result) const {
  return verb("CHECK", container, net, with_result(result));
}

Command Network::del(const std::string& container, const ContainerNet& net,
                     const std::string& result) const {
  return verb("DEL", container, net, with_result(result));
}

void require_attached(const ContainerNet& net, const std::string& who) {
  const ContainerNet::State state = net.link_state(kLink);
  if (state.exists && state.up && state.has_address && state.has_default_route) return;
  throw std::runtime_error(
      who + ": after ADD the link is " + (state.exists ? "there" : "absent") +
      (state.up ? ", up" : ", not up") +
      (state.has_address ? ", with address" : ", without address") +
      (state.has_default_route ? ", with default route" : ", without default route"));
}

void require_gone(const ContainerNet& net, const std::string& who) {
  if (net.link_state(kLink).exists)
    throw std::runtime_error(who + ": after DEL the link is still there");
}

}  // namespace unicni::bench
