// The folder of lease files, as its daemon keeps it. What others read of it: lease.h.
#pragma once

#include <string>
#include <vector>

#include "lease.h"
#include "unicni/sys/fd.h"

namespace unicni::dhcp {

class LeaseFolder {
 public:
  /// The folder needn't be there.
  explicit LeaseFolder(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Of one lease.
  [[nodiscard]] std::string file_of(const Lease& lease) const;

  /// Old content or new. Where the file system is full, a file that is there is written over, which
  /// needs no more room than it has. Throws Error.
  void write(const Lease& lease);
  /// Leaves a file of another attachment under the same name, which is its daemon's. Throws Error.
  void remove(const Lease& lease);
  /// Throws Error(not_available) if no file could be added.
  void require_room() const;

  /// Readable when somebody has removed a file; -1: the kernel doesn't tell (it is out of watches).
  [[nodiscard]] int fd() const { return watch_.get(); }
  /// Whether files were removed since, by whomever.
  bool has_lost_files();

 private:
  void watch();

  std::string path_;
  sys::Fd watch_;
};

}  // namespace unicni::dhcp
