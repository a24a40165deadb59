// What a request says of itself, for rules to look at.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unicni::policy {

/// Something that a request may say.
struct Claim {
  std::string value = {};    ///< "": absent
  std::string garbage = {};  ///< why it can't be told; then a rule that looks at it denies
};

struct Facts {
  std::string network;
  std::string if_name;
  std::string args;  ///< CNI_ARGS as given
  Claim namespace_;  ///< K8S_POD_NAMESPACE of CNI_ARGS
  Claim pod;         ///< K8S_POD_NAME
  std::map<std::string, Claim, std::less<>> labels;
  std::string labels_garbage;  ///< why there are no labels to look at; "": nothing is wrong
  /// The link of the host's default route, which a missing "master" means; nullopt: none, or nobody
  /// looked.
  std::optional<std::string> default_link;
  /// The MTU of a link of the host, which a missing "mtu" may mean; nullopt: there is none. May be
  /// empty: nobody can be asked.
  std::function<std::optional<std::uint32_t>(const std::string& link)> link_mtu;

  [[nodiscard]] Claim label(std::string_view key) const;
};

/// `configs` are the request's object and those of its members, whose "args" may have labels: as
/// args.cni.labels, else args.labels, a map or a list of {key, value}. What differs is garbage.
Facts make_facts(std::string network, std::string if_name, std::string args,
                 std::span<const std::string_view> configs);

}  // namespace unicni::policy
