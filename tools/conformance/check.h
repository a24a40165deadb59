// One rule of the CNI specification as a test of a plugin.
#pragma once

#include <string>
#include <vector>

#include "conformance/subject.h"

namespace unicni::conformance {

enum class Level { must, should, may };
std::string to_string(Level level);

/// A requirement that was violated, and how it was seen.
struct Finding {
  std::string id;  ///< "EXEC-07": of tests/conformance/REQUIREMENTS.md
  std::string text;
};
using Findings = std::vector<Finding>;

class Trial;

struct Check {
  const char* ids;   ///< the requirements that it can find violated, with blanks between: "VERN-01"
  const char* what;  ///< what is required, as a sentence without its full stop
  Level level;
  const char* since;  ///< the plugin must support that version of the spec, or a later one
  bool (*applies)(const Subject&);
  void (*run)(Trial&);  ///< on a host of its own; says what it finds to the trial
};

/// The ids of a check, each by itself.
std::vector<std::string> ids_of(const Check& check);
/// A name for test programs, unique among the checks: "VERN_01_CommandAloneSuffices" of the ids and
/// the words of `what`.
std::string name_of(const Check& check);
/// Whether the plugin's kind and versions are those that the check is about.
bool applies(const Check& check, const Subject& subject);

/// All checks, in the order of a report. The first is kAnswerId's.
std::vector<Check> all_checks();

/// Whom a check is about.
bool every(const Subject& subject);         ///< any plugin
bool works_inside(const Subject& subject);  ///< in the container's namespace: all but IPAM
bool creates(const Subject& subject);       ///< brings CNI_IFNAME into the container
bool hands_on(const Subject& subject);      ///< may stand behind another plugin
bool chained(const Subject& subject);       ///< can't stand first
bool delegates(const Subject& subject);     ///< asks another plugin for addresses
bool is_ipam(const Subject& subject);
bool reserves(const Subject& subject);  ///< addresses are taken and given back
bool has_small_pool(const Subject& subject);

}  // namespace unicni::conformance
