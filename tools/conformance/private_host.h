// A host of a check's own: namespaces in which nothing of the machine can be changed.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace unicni::conformance {

/// How a piece of work in namespaces of its own ended.
struct Isolated {
  bool finished = false;  ///< false: its time was up, or its process died
  int signal = 0;         ///< the signal that ended or stopped its process, if one did
  std::string text = {};  ///< what the work returned; else why there is nothing
};

/// Runs `work` in a process with network, pid and mount namespaces of its own, with lo up, an empty
/// /run and an empty /var/lib, without unicni's settings in /etc/unicni, and returns its text. Of
/// `keep` those folders that exist below the first two stay reachable. When it returns, or after
/// `limit`, every process that the work started has been killed, also one that became a daemon. The
/// machine's files outside of these folders are the machine's. Needs root, or the root of a user
/// namespace; says so otherwise.
Isolated isolated(const std::function<std::string()>& work, std::chrono::milliseconds limit,
                  const std::vector<std::string>& keep = {});

/// A network namespace that is a file in /run/netns, as `ip netns add` makes it. Its sysctls are
/// the kernel's own defaults. Only inside of isolated().
class Container {
 public:
  /// Throws std::runtime_error.
  explicit Container(const std::string& name);
  Container(Container&& other) noexcept;
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  Container& operator=(Container&&) = delete;
  ~Container();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_; }
  /// Links that are made in it, or come into it, from now on have their IPv6 addresses at once
  /// instead of after a second or two of looking for duplicates, which some plugins wait for.
  void skip_duplicate_detection() const;
  /// Takes the namespace away as `ip netns del` does: the file is gone, and what was in it.
  void remove();

 private:
  std::string path_;
  int fd_ = -1;
};

/// Files of a check's host. Throw std::runtime_error.
void write_file(const std::string& path, const std::string& text, unsigned mode = 0644);
std::string read_file(const std::string& path);

}  // namespace unicni::conformance
