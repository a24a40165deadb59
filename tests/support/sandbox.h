// A host of the test's own: network namespace, mount namespace, empty /run and /var/lib.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"

namespace unicni::test {

/// A network namespace that exists as a file in the sandbox's /run/netns.
class Container {
 public:
  explicit Container(const std::string& name);
  Container(Container&& other) noexcept;
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  Container& operator=(Container&&) = delete;
  ~Container();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_; }
  Output run(const std::vector<std::string>& argv) const { return tool(argv, fd_); }
  [[nodiscard]] bool succeeds(const std::vector<std::string>& argv) const {
    return test::succeeds(argv, fd_);
  }
  [[nodiscard]] Json json(const std::vector<std::string>& argv) const {
    return tool_json(argv, fd_);
  }
  /// Deletes the namespace as `ip netns del` does: the file is gone, and so is the namespace.
  void remove();

 private:
  std::string name_;
  std::string path_;
  int fd_ = -1;
};

/// A process that lives in a container as long as this does.
class Inhabitant {
 public:
  explicit Inhabitant(const Container& container);
  /// "/proc/PID/ns/net": leads to the container's namespace until the process ends.
  [[nodiscard]] std::string path() const;

 private:
  Running process_;
};

/// While it lives the test is on a host that nobody else sees: what it makes there ends with it,
/// also if the test is killed. Root only; sandboxes of one process may follow each other and don't
/// nest.
class Sandbox {
 public:
  Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();

  /// Moves the process to another host namespace with the same files, and back at the end.
  void on_another_host(const std::function<void()>& work);
  /// Descriptor of the host's network namespace.
  [[nodiscard]] int netns() const { return netns_; }
  /// An /etc of its own, with what the machine has: what is written there rules nobody else's
  /// tests.
  static void keep_etc();

 private:
  int outer_netns_ = -1;
  int outer_mounts_ = -1;
  int netns_ = -1;
  std::string folder_;
};

/// What Sandbox does, for a process that is root in a user namespace already and never goes back.
void enter_private_host();

/// Runs `work` in a child process and fails this test if the child's assertions failed.
void in_child(const std::function<void()>& work);

/// Files of the sandbox.
void write_file(const std::string& path, const std::string& text, unsigned mode = 0644);
std::string read_file(const std::string& path);
bool exists(const std::string& path);

}  // namespace unicni::test
