#include "protocol/cached_netns.h"

#include <nlohmann/json.hpp>

namespace unicni::protocol {

std::optional<std::string> cached_netns(const std::string& text, const std::string& network,
                                        const std::string& container_id,
                                        const std::string& if_name) {
  const auto entry = nlohmann::json::parse(text, nullptr, false);
  if (!entry.is_object()) return std::nullopt;
  const auto member = [&](const char* key) {
    const auto found = entry.find(key);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (member("kind") != "cniCacheV1" || member("networkName") != network ||
      member("containerId") != container_id || member("ifName") != if_name) {
    return std::nullopt;
  }
  std::string netns = member("netns");
  return netns.empty() ? std::nullopt : std::optional(std::move(netns));
}

}  // namespace unicni::protocol
