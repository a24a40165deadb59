// Forgetting by type, for tests whose steps are of one type each.
#pragma once

#include <string>
#include <vector>

#include "journal/journal.h"

namespace unicni::journal {

inline void forget(Journal& journal, const std::string& type) {
  if (journal.entry() == nullptr) return;
  const std::vector<RecordedStep> steps = journal.entry()->steps;
  for (const RecordedStep& step : steps) {
    if (step.type == type) journal.forget_step(step.id, type);
  }
}
inline void forget(Journal&& journal, const std::string& type) { forget(journal, type); }

}  // namespace unicni::journal
