// Programs of other makers. Plugins that make the interface: routed veths whose results say as
// little of the host's side as those of real networks do. And IPAM plugins, which lend addresses
// that their configuration names, with a file for each in kLeases.
#pragma once

#include <string>

namespace unicni::test::world {

// A type is a shape of result and the number of a network: "ovnish3".
//   ovnish   Kube-OVN: only the container's interface
//   weavish  Weave: no interfaces at all
//   azurish  Azure: the container's interface without its sandbox
inline constexpr const char* kForeignShapes[] = {"ovnish", "weavish", "azurish"};

/// With the number of a network: the type of an IPAM program.
inline constexpr const char* kLender = "lender";

/// Whether it is a plugin that makes the interface.
[[nodiscard]] bool is_foreign(const std::string& type);
/// The program, for bash. The address of one that makes the interface is 10.2<network>.0.1<digit of
/// the container>/32.
std::string foreign_program(const std::string& type);

}  // namespace unicni::test::world
