// Where a verb says things: answers on stdout, all else on stderr.
#pragma once

#include <string>
#include <string_view>

#include "app/report.h"
#include "unicni/error.h"

namespace unicni::app {

class Output {
 public:
  /// `program` stands before what goes to stderr. Both texts outlive this.
  explicit Output(std::string_view program) : program_(program) {}

  void use_json() { is_json_ = true; }
  [[nodiscard]] bool is_json() const { return is_json_; }

  /// On stdout, as a table or as JSON.
  void put(const Report& report) const;
  /// The table on stderr, where stdout has something else.
  void put_aside(const Report& report) const;
  /// Text on stdout as it is.
  void write(std::string_view text) const;
  /// "<program>: <text>" on stderr.
  void say(std::string_view text) const;
  void warn(std::string_view text) const;
  /// What failed, and on a line below what mends it, if that is known.
  void fail(const Error& error) const;
  /// Error(io) if something on stdout was not written (full disk, closed pipe).
  void finish() const;

 private:
  std::string_view program_;
  bool is_json_ = false;
};

}  // namespace unicni::app
