// One attachment's life - ADD, CHECK, DEL - by one candidate, each verb a process, each checked in
// the kernel.
#pragma once

#include <memory>
#include <string>

#include "network.h"
#include "private_net.h"
#include "report.h"

namespace unicni::bench {

class Candidate {
 public:
  /// `name` is the candidate's in the report, `rows` what comes before "ADD", "CHECK" and "DEL"
  /// there.
  explicit Candidate(std::string name, std::string rows = {})
      : name_(std::move(name)), rows_(std::move(rows)) {}
  virtual ~Candidate() = default;
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// One life in a fresh namespace; times go to the report. Throws std::runtime_error if a verb
  /// fails, or doesn't do in the kernel what it is for.
  virtual void cycle(const ContainerNet&, unsigned number, Report&) = 0;

 protected:
  [[nodiscard]] std::string row(const char* verb) const { return rows_ + verb; }

 private:
  std::string name_;
  std::string rows_;
};

std::unique_ptr<Candidate> cni_candidate(std::string name, std::string rows, Network);

/// The C program that does the kernel's part of the same attachment, and nothing else; it has no
/// CHECK. Makes the bridge and the nft table that the program needs.
std::unique_ptr<Candidate> kernel_candidate(std::string program, std::string rows = {});
/// The same of a macvlan on `master`, which is there.
std::unique_ptr<Candidate> kernel_macvlan_candidate(std::string program, std::string rows,
                                                    std::string master);

}  // namespace unicni::bench
