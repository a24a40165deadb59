// One attachment's life - ADD, CHECK, DEL - by one candidate, each verb a process, each checked in
// the kernel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "private_net.h"
#include "report.h"

namespace unicni::bench {

class Candidate {
 public:
  explicit Candidate(std::string name) : name_(std::move(name)) {}
  virtual ~Candidate() = default;
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// One life in a fresh namespace; times go to the report. Throws std::runtime_error if a verb
  /// fails, or doesn't do in the kernel what it is for.
  virtual void cycle(const ContainerNet&, unsigned number, Report&) = 0;

 private:
  std::string name_;
};

/// A folder of CNI plugins: bridge with default gateway and masquerade, host-local. `subnet` and
/// `bridge` are its alone.
std::unique_ptr<Candidate> cni_candidate(const char* name, std::string folder, std::string bridge,
                                         std::string subnet);
/// The C program that makes the same links, address and route, and nothing else; it has no CHECK.
/// Makes the bridge that the program needs.
std::unique_ptr<Candidate> kernel_candidate(std::string program);

}  // namespace unicni::bench
