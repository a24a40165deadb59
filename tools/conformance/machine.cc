#include "conformance/machine.h"

#include <algorithm>
#include <chrono>

#include "conformance/host_state.h"
#include "conformance/private_host.h"
#include "conformance/subject.h"

namespace unicni::conformance {

int slowness_of_machine() {
  constexpr std::chrono::seconds kMost{60};
  constexpr std::chrono::milliseconds kUsual{333};
  constexpr int kSlowest = 6;
  const auto start = std::chrono::steady_clock::now();
  const Isolated done = isolated(
      [] {
        host_state();
        return std::string();
      },
      kMost);
  if (!done.finished) {
    throw CannotRun("checks can't be made on this machine: " + done.text,
                    "they need root or the root of a user namespace, ip(8) and tc(8)");
  }
  const auto took = std::chrono::steady_clock::now() - start;
  return std::clamp(static_cast<int>(took / kUsual) + 1, 1, kSlowest);
}

}  // namespace unicni::conformance
