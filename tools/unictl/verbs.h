// The verbs of unictl, each in the file of its name.
#pragma once

#include "app/application.h"

namespace unicni::unictl {

app::VerbText conformance_verb();
app::VerbText modules_verb();

}  // namespace unicni::unictl
