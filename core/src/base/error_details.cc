#include "base/error_details.h"

#include <string>

namespace unicni {

void add_details(Error& error, std::string_view text) {
  std::string details = error.details();
  if (!details.empty()) details += "; ";
  error.advise(details.append(text));
}

}  // namespace unicni
