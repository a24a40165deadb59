// What makes two configurations of one type the same plugin of a list.
#include <array>
#include <string_view>

#include "protocol/document.h"
#include "protocol/netconf.h"
#include "protocol/netconf_document.h"

namespace unicni::protocol {
namespace {

/// What the runtime adds, and what says nothing of the plugin's work.
bool is_circumstance(std::string_view key) {
  constexpr std::array<std::string_view, 4> circumstances = {"prevResult", "runtimeConfig",
                                                             "capabilities", "cniVersion"};
  for (const std::string_view other : circumstances) {
    if (same_letters(key, other)) return true;
  }
  return key.starts_with("cni.dev/");
}

}  // namespace

std::string Netconf::identity() const {
  nlohmann::json sorted = nlohmann::json::object();  // std::map, so the order of keys is gone
  for (const auto& [key, value] :
       document_->tree->get_ref<const nlohmann::ordered_json::object_t&>()) {
    if (!is_circumstance(key)) sorted[key] = nlohmann::json(value);
  }
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  return sorted.dump(-1, ' ', false, kReplace);
}

}  // namespace unicni::protocol
