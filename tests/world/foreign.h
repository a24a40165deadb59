// Plugins of other makers that make the interface: routed veths whose results say as little of the
// host's side as those of real networks do.
#pragma once

#include <string>

namespace unicni::test::world {

// A type is a shape of result and the number of a network: "ovnish3".
//   ovnish   Kube-OVN: only the container's interface
//   weavish  Weave: no interfaces at all
//   azurish  Azure: the container's interface without its sandbox
inline constexpr const char* kForeignShapes[] = {"ovnish", "weavish", "azurish"};

[[nodiscard]] bool is_foreign(const std::string& type);
/// The program, for bash. Its address is 10.2<network>.0.1<digit of the container>/32.
std::string foreign_program(const std::string& type);

}  // namespace unicni::test::world
