// What the model expects of what can be seen; each function throws Broken if it is otherwise.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "support/kernel_state.h"
#include "world/host.h"
#include "world/model.h"
#include "world/sight.h"

namespace unicni::test::world {

/// Nothing of attachments that are no more; the reservations of those that are.
void expect_traces(const Model& model, const Sight& sight);
/// Interfaces and settings of a container.
void expect_inside(const Model& model, int container, int netns);

/// A knock and who may answer.
struct Expectation {
  Knock knock;
  std::string kind;
  std::string who;                ///< for messages
  std::set<std::string> servers;  ///< "" is nobody
  std::set<std::string> seen;     ///< how the client may look; empty: any
};
std::vector<Expectation> expected_traffic(const Model& model, const Host& host);
void expect_answer(const Expectation& expected, const KnockAnswer& answer);

/// The host's state without tables and built-in chains of iptables, which nobody takes away.
Snapshot host_snapshot();

}  // namespace unicni::test::world
