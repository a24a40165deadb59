#include "chain/remembered.h"

#include "chain/liveness.h"
#include "journal/replay.h"

namespace unicni::chain {

net::NftMemory remembered_rules(const journal::Place& place, const net::Netns& host_netns) {
  net::NftMemory memory;
  for (const journal::Entry& entry : journal::peek_all(journal::kFolder)) {
    if (entry.place != place) continue;
    for (const journal::Step& step : entry.steps) {
      if (step.undo.empty() || life_of(step, host_netns) == Life::gone) continue;
      for (const Undo& record : step.undo) {
        if (auto element = journal::find_element(record)) {
          memory.elements.push_back(*std::move(element));
        }
        if (auto condition = journal::find_condition(record)) {
          memory.conditions.push_back(*std::move(condition));
        }
      }
    }
  }
  return memory;
}

std::vector<Undo> remembered_records(const journal::Place& place, std::string_view type,
                                     Steps steps, std::size_t most) {
  std::vector<Undo> records;
  journal::peek_each(journal::kFolder, [&](const journal::Entry& entry) {
    if (entry.place != place) return true;
    for (const journal::Step& step : entry.steps) {
      if (steps == Steps::finished && step.result.empty()) continue;
      for (const Undo& record : step.undo) {
        if (record.type == type && records.size() < most) records.push_back(record);
      }
    }
    return records.size() < most;
  });
  return records;
}

}  // namespace unicni::chain
