// Where the options of one plugin stand: in its configuration (an IPAM's: in "ipam"),
// runtimeConfig, args.cni and CNI_ARGS, and in lists and objects there. Rules judge all that is
// written; what is missing is told by what the plugin reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/fields.h"
#include "policy/member.h"
#include "unicni/options.h"

namespace unicni::policy {

/// The plugin's option of that name in any letter case, as programs differ in which they take;
/// nullptr: there is none, or nobody knows its options.
const Option* find_row(const Server& server, OptionSource source, std::string_view key);

class Places {
 public:
  using Args = std::vector<std::pair<std::string, std::string>>;
  /// Whether a value, as JSON text, is as good as absent.
  using IsUnset = std::function<bool(std::string_view json)>;

  /// An option that the plugin misses in an object: its row there.
  struct Missing {
    const Option* row;
    const OptionTable* table;
  };
  struct Reading {
    bool is_given = false;         ///< the plugin reads a value
    std::vector<Missing> missing;  ///< in objects inside that stand for the plugin's own options
  };

  Places(const Server& server, const Fields& config, bool is_ipam);

  /// Whether the plugin has such an option, wherever it reads it from. Of a plugin whose options
  /// nobody knows that is taken for granted.
  [[nodiscard]] bool has_option(std::string_view key) const;
  /// The same of the objects that options are made of, or have in lists; false where nobody knows.
  [[nodiscard]] bool has_inner_option(std::string_view key) const;
  /// Where options stand, in whatever spelling and how often.
  [[nodiscard]] const std::vector<Fields>& sections() const { return sections_; }
  /// Each value that is written for the key, as JSON text, also where the plugin doesn't read it:
  /// programs differ in which of several spellings counts.
  [[nodiscard]] std::vector<std::string> written(std::string_view key, const Args& args) const;
  /// The same inside the objects of options.
  [[nodiscard]] std::vector<std::string> written_inside(std::string_view key) const;
  /// What the plugin makes of that, by its table: a key that it reads from elsewhere only, or one
  /// that null in the exact spelling hides, is not given.
  [[nodiscard]] Reading read(std::string_view key, const Args& args, const IsUnset& is_unset) const;

 private:
  [[nodiscard]] Fields section(OptionSource source) const;

  const Server& server_;
  const Fields& config_;
  bool is_ipam_;
  std::vector<Fields> sections_;
};

}  // namespace unicni::policy
