// Policies: the files of /etc/unicni/policy.d, in YAML, JSON or commented JSON, as the rules that
// the executable applies. core/src/policy says what they do.
//
// A key that nobody knows is an error here, unlike in a chain: a misspelt "require" would require
// nothing. Keys that begin with "x-" are a place for YAML's anchors.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/chain.h"
#include "document/document.h"
#include "document/finding.h"
#include "policy/policy.h"

namespace unicni::document {

struct TypedPolicy {
  policy::Policy policy;          ///< nonsense if a finding is a wrong value
  std::vector<Finding> findings;  ///< in the order of the file
};
/// All that can be said of one file, in one pass. `types` are the options of all installed modules:
/// they say what a value is, and which keys there are.
TypedPolicy type_policy(const Document& document, std::span<const TypeOptions> types);

/// The rules of one file for a verb. Error(policy_unreadable) for the first wrong value, with its
/// place; the other findings, a line each, go to `warnings`.
policy::Policy read_policy(const Document& document, std::span<const TypeOptions> types,
                           std::vector<std::string>& warnings);

/// Paths of the folder's *.yaml files, in the order of bytes; no folder has none. Names that begin
/// with a dot are passed over.
std::vector<std::string> list_policies(const std::string& folder);
/// Whether somebody might take a file of this name for a policy, which nobody reads: *.yml, *.json
/// and other letter cases.
bool is_nearly_policy(std::string_view name);
/// Paths of such files in the folder.
std::vector<std::string> list_near_policies(const std::string& folder);
/// Paths of the folders in it, which nobody reads either, in the order of bytes. Those whose names
/// begin with a dot are passed over: where a ConfigMap is mounted, they hold what links lead to.
std::vector<std::string> list_subfolders(const std::string& folder);

}  // namespace unicni::document
