// Opening modules whose static initialisers may end the process, as nobody can catch what those
// throw, nor that they call exit(3). So a child opens them first. For programs of one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "module/cache.h"
#include "unicni/error.h"

namespace unicni::compile {

/// Of those modules the ones that end whoever opens them, by path, with what is to be said of
/// each. Costs a fork(2), and another for each of them.
std::map<std::string, Error> find_deadly(const std::vector<module::Found>& modules,
                                         const std::string& executable);

/// Refuses such modules.
class CautiousCache final : public module::Cache {
  const ModuleDescriptor& open_file(const module::Found& found,
                                    const std::string& executable) override;
};

}  // namespace unicni::compile
