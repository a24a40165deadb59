#include "unicni/call.h"

#include "base/owner.h"

namespace unicni {

std::string Call::alias() const { return owner_alias(network, owner()); }

bool Call::may_be_cut_alias(const std::string& text) const { return is_cut_alias(text, owner()); }

const char* command_name(Command command) {
  switch (command) {
    case Command::add:
      return "ADD";
    case Command::del:
      return "DEL";
    case Command::check:
      return "CHECK";
    case Command::gc:
      return "GC";
    case Command::status:
      return "STATUS";
    case Command::version:
      return "VERSION";
  }
  return "?";
}

}  // namespace unicni
