#include "chain/remembered.h"

#include "journal/replay.h"

namespace unicni::chain {

std::vector<net::NftElement> remembered_elements(const journal::Place& place) {
  std::vector<net::NftElement> elements;
  for (const journal::Entry& entry : journal::peek_all(journal::kFolder)) {
    if (entry.place != place) continue;
    for (const journal::Step& step : entry.steps) {
      for (const Undo& record : step.undo) {
        if (auto element = journal::find_element(record)) elements.push_back(*std::move(element));
      }
    }
  }
  return elements;
}

}  // namespace unicni::chain
