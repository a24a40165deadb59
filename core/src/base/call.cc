#include "unicni/call.h"

namespace unicni {

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
