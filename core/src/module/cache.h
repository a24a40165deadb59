// The modules that a process has opened.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "module/loader.h"

namespace unicni::module {

/// Opens each module once, whoever asks for it and how often: what a verb of a list, its roll-back
/// and the next verb of the same process use is one. Owned by the program around core; all threads
/// may use it. A file that is replaced meanwhile is the business of the next process.
class Cache {
 public:
  Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  virtual ~Cache() = default;

  /// What the module says of itself. Throws Error as module::open(); a module that was refused is
  /// looked at again.
  const ModuleDescriptor& open(const Found& found, const std::string& executable);
  /// A new instance of that module.
  LoadedModule load(const Found& found, const std::string& executable);

 protected:
  /// module::open(). A program that wants to know which file's static initialisers run does so
  /// around it.
  virtual const ModuleDescriptor& open_file(const Found& found, const std::string& executable);

 private:
  std::mutex mutex_;
  std::map<std::string, const ModuleDescriptor*> opened_;  // by path; the libraries stay open
};

}  // namespace unicni::module
