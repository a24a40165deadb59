// The CNI_ARGS variable, "K=V;K=V" (ARGS-01 to ARGS-09).
#pragma once

#include <string_view>

#include "options/reader.h"
#include "unicni/options.h"

namespace unicni::options {

/// Whether the table has rows from CNI_ARGS. Without, the variable is not looked at, however
/// broken.
bool reads_cni_args(const OptionTable& table);

/// Fills the rows from CNI_ARGS. Keys are case-sensitive, the last of equal keys counts, an empty
/// value means that there is none, a list is split at ','. IgnoreUnknown=1 tolerates keys without a
/// row. Error(invalid_environment), on DEL a warning.
void read_cni_args(const OptionTable& table, std::string_view text, Reader& reader, void* options);

}  // namespace unicni::options
