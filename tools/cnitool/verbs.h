// The verbs of cnitool, each in the file of its name.
#pragma once

#include "app/application.h"

namespace unicni::cnitool {

app::VerbText add_verb();
app::VerbText check_verb();
app::VerbText del_verb();
app::VerbText gc_verb();
app::VerbText networks_verb();
app::VerbText status_verb();
app::VerbText validate_verb();
app::VerbText version_verb();

}  // namespace unicni::cnitool
