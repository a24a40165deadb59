#include "chain/remembered.h"

#include "journal/replay.h"

namespace unicni::chain {

net::NftMemory remembered_rules(const journal::Place& place) {
  net::NftMemory memory;
  for (const journal::Entry& entry : journal::peek_all(journal::kFolder)) {
    if (entry.place != place) continue;
    for (const journal::Step& step : entry.steps) {
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

}  // namespace unicni::chain
