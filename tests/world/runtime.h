// Lists as a runtime calls them: by libcni, a process a plugin, or all in one process.
#pragma once

#include "world/host.h"

namespace unicni::test::world {

struct ListCall {
  int place = 0;
  Json list;  ///< conflist()
  bool one_process = false;
  std::string netns;
  int ports = 0;
  bool by_reference = false;
  bool with_result = true;
  bool with_ports = true;
  std::optional<Kill> kill;
};

struct Outcome {
  bool ok = true;
  bool killed = false;
  bool missing = false;  ///< the runtime itself found no program for the member
  std::string failed;    ///< type of the (first) member that failed or was killed
  std::string text;      ///< what that one printed
  int code = 0;          ///< of its error
};

class Runtime {
 public:
  Runtime(Host& host, const Scenario& scenario) : host_(host), scenario_(scenario) {}
  Outcome add(const ListCall& call);
  /// Like libcni it stops at the first error; the members before it aren't called then.
  Outcome del(const ListCall& call);
  Outcome check(const ListCall& call);
  /// `places` are valid.
  Outcome gc(const Json& list, bool one_process, unsigned places, int network,
             const std::optional<Kill>& kill);

 private:
  Outcome run(const ListCall& call, const std::string& verb, const Json& config, int member,
              bool with_result, const std::string& result);
  /// The configurations of the list's calls, first to last.
  [[nodiscard]] std::vector<Json> configs(const ListCall& call) const;

  Host& host_;
  const Scenario& scenario_;
};

}  // namespace unicni::test::world
