#include "scratch.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace scratch {

namespace fs = std::filesystem;

// mkdtemp makes the folder 0700; the rule under test is about writing, and rootless children must
// get in.
Prefix::Prefix() : path_((fs::temp_directory_path() / "unicni-loader-XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
  ::chmod(path_.c_str(), 0755);
  fs::create_directories(cni());
  fs::create_directories(modules());
  // Independent of the umask of whoever runs the tests.
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    ::chmod(entry.path().c_str(), 0755);
  }
}

Prefix::~Prefix() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Prefix::copy(const std::string& from, const std::string& to) const {
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  ::chmod(to.c_str(), 0755);
}

std::string Prefix::add_fixture(const std::string& name) const {
  copy(std::string(FIXTURES) + '/' + name + ".so", module(name));
  return module(name);
}

void Prefix::write(const std::string& to, const std::string& content, mode_t mode) const {
  std::ofstream(to, std::ios::binary | std::ios::trunc) << content;
  ::chmod(to.c_str(), mode);
}

}  // namespace scratch
