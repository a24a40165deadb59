// The command line.
#pragma once

#include <string>
#include <vector>

namespace unicni::bench {

struct Options {
  std::string stage;  ///< "": nobody said where
  std::string reference = "/usr/lib/cni";
  std::vector<std::string> cases;  ///< empty: all
  unsigned runs = 100;
  bool check = false;
};

/// UNICNI_STAGE is the stage unless an argument says another. Throws std::invalid_argument.
Options parse_options(const std::vector<std::string>& arguments);

/// Text for --help.
std::string usage();

}  // namespace unicni::bench
