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

  /// A new instance. Throws Error as module::load(); a module that was refused is looked at again.
  LoadedModule load(const Found& found, const std::string& executable);

 private:
  std::mutex mutex_;
  std::map<std::string, const ModuleDescriptor*> opened_;  // by path; the libraries stay open
};

}  // namespace unicni::module
