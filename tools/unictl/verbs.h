// The verbs of unictl, each in the file of its name.
#pragma once

#include "app/application.h"

namespace unicni::unictl {

app::VerbText compile_verb();
app::VerbText conformance_verb();
app::VerbText diff_verb();
app::VerbText explain_verb();
app::VerbText lint_verb();
app::VerbText modules_verb();
app::VerbText render_verb();

}  // namespace unicni::unictl
