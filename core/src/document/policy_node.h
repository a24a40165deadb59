// The parts of a policy's file, each by its reader. What is wrong becomes a finding.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/chain.h"
#include "document/node.h"
#include "document/typed.h"
#include "policy/policy.h"

namespace unicni::document {

/// What all readers of a file share.
struct PolicyFile {
  const std::string& file;
  Syntax syntax;
  std::span<const TypeOptions> types;
  std::vector<Finding>& findings;

  [[nodiscard]] policy::Place place(Position position) const {
    return {file, position.line, position.column};
  }
  void wrong(Position position, std::string text, std::string details = {}) const;
  void wrong_value(const Node& node, std::string_view path, std::string_view expected) const;
  /// What can be written, and says nothing.
  void never_holds(Position position, std::string text, std::string details) const;
  /// A finding for a key that isn't among `known`, with the nearest of them; keys for anchors pass.
  bool knows(const Child& child, std::span<const std::string_view> known,
             std::string_view path) const;
  /// A text, or a list of texts, as patterns.
  [[nodiscard]] std::optional<policy::Patterns> patterns(const Node& node,
                                                         const std::string& path) const;
};

/// Whether a type is among those that a rule is about; without "type" all that aren't IPAM are.
bool is_about(const std::optional<policy::Patterns>& types, const TypeOptions& type);

/// "defaults" or "override" of a rule about `types`.
std::vector<policy::Value> read_values(const PolicyFile& file,
                                       const std::optional<policy::Patterns>& types,
                                       const Node& node, const std::string& path);

/// Findings for what stands at a key of "match", `path`, if it can match nothing: for a list of no
/// patterns, and for patterns that no network, namespace, pod or interface can have as its name.
void look_for_idle_list(const PolicyFile& file, const Node& node, const std::string& path);
void look_for_idle_patterns(const PolicyFile& file, const Child& child, const std::string& path);

/// "require".
std::vector<policy::Limit> read_limits(const PolicyFile& file, const Node& node,
                                       const std::string& path);

}  // namespace unicni::document
