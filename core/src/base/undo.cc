#include "unicni/undo.h"

namespace unicni {

UndoLog::~UndoLog() = default;

}  // namespace unicni
