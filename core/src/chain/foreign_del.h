// DEL of plugins that aren't ours, whoever asks for it: their own step, whom they serve, or a
// record.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "chain/request.h"
#include "unicni/error.h"
#include "unicni/host.h"

namespace unicni::chain {

struct ForeignDel {
  std::string type;
  std::string remembered;  ///< path of the program whose ADD it was; "": not known
  std::string config;      ///< for its stdin
  AttachmentKey key;
  /// Whether its ADD is known to have succeeded, so that there is something to take back.
  bool added;
  std::optional<std::size_t> place = {};  ///< of the member in its list, for observers
};

/// What CNI_PATH has under that name today, as an upgrade may move a folder of plugins, else the
/// remembered file; "" if neither is there.
std::string find_program(const Request& request, const std::string& type,
                         const std::string& remembered);

/// Runs it, or warns that there is nothing to run and nobody to wait for: of a program that is gone
/// or can't be executed, as the namespace is gone as well (or the request has none) or nobody knows
/// of an ADD (no record, no prevResult), and of one whose ADD never succeeded and which refuses the
/// version. Error(internal) says how to mend it where the namespace is still there.
void del_foreign(const Request& request, Host& host, const ForeignDel& what);

/// The DEL of a program that an undo record has asked for in this verb. A second one could release
/// what another container has got meanwhile, and would fail as the first.
struct Asked {
  std::string type;
  std::optional<Error> failure;

  void rethrow() const {
    if (failure) throw Error(*failure);
  }
};

}  // namespace unicni::chain
