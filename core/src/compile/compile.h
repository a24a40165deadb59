// Chains and policies, from the files that people write to what the executable reads
// (settings/compiled.h). Run by unictl, by hand or for a verb that found a file changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/chain.h"
#include "module/registry.h"
#include "settings/compiled.h"
#include "unicni/deadline.h"
#include "unicni/folders.h"

namespace unicni::compile {

/// The options of all modules in where.modules, each of the first folder that has it. What can't be
/// loaded is told in `warnings` and left out.
std::vector<document::TypeOptions> installed_types(const module::Locations& where,
                                                   std::vector<std::string>& warnings);
/// The same as a chain names them: a type that a link of ours has ("cnv-bridge") is its module's.
std::vector<document::TypeOptions> types_of(const document::Document& chain,
                                            const std::vector<document::TypeOptions>& installed,
                                            const module::Locations& where);

class Compiler {
 public:
  /// Folders and locations outlive this.
  Compiler(const Folders& folders, const module::Locations& where, Deadline deadline,
           settings::Keep keep = settings::Keep::entries)
      : folders_(folders), where_(where), deadline_(deadline), keep_(keep) {}

  /// The entry of the subject (settings::kPolicy, settings::chain_subject()), made anew unless the
  /// one that is there is current and for the same settings and modules (settings::is_for()), and
  /// written, if that can be done, under a lock that others wait for. Error: the sources may not be
  /// believed, can't be read, or are wrong; it is (policy_unreadable) of policies, and as
  /// document/chain.h says of chains.
  settings::Compiled compile(const std::string& subject);

 private:
  settings::Compiled make(const std::string& subject);
  [[nodiscard]] bool counts(const settings::Compiled& known, const std::string& subject) const;
  settings::Compiled make_policy();
  settings::Compiled make_chain(const std::string& name);
  void add_source(settings::Compiled& compiled, const std::string& path) const;
  [[nodiscard]] std::vector<settings::Source> installed() const;
  [[nodiscard]] bool is_older_than_modules(const std::string& entry) const;
  [[nodiscard]] bool has_changed(const settings::Compiled& compiled) const;

  const Folders& folders_;
  const module::Locations& where_;
  Deadline deadline_;
  settings::Keep keep_;
};

}  // namespace unicni::compile
