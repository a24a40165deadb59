// A file's text with its name and its places.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "document/node.h"
#include "unicni/error.h"

namespace unicni::document {

inline constexpr std::size_t kFileLimit = 1U << 20U;       ///< bytes
inline constexpr std::size_t kDepthLimit = 64;             ///< sequences and maps in each other
inline constexpr std::size_t kNodeLimit = 100'000;         ///< aliases count as what they stand for
inline constexpr std::size_t kTextLimit = 2 * kFileLimit;  ///< bytes of texts and keys, likewise

/// What stops a file from being read, with its place: msg begins with file:line:column.
class Refusal : public Error {
 public:
  Refusal(const Error& error, Position position) : Error(error), position_(position) {}
  [[nodiscard]] Position position() const { return position_; }

 private:
  Position position_;
};

class Source {
 public:
  /// Error(decode), with its place, for a text over kFileLimit, with a byte order mark, that is no
  /// UTF-8, or with a control character other than tab, "\n" and "\r" (which no syntax here takes
  /// unescaped, and the YAML library for the end of the file). `text` must outlive this; `name` is
  /// for messages.
  Source(std::string name, std::string_view text);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  /// Of the byte `offset`; beyond the end counts as the end.
  [[nodiscard]] Position position(std::size_t offset) const;
  /// "<file>:<line>:<column>: <msg>", with Code::decode.
  [[nodiscard]] Refusal refusal(Position position, std::string_view msg, std::string details) const;
  [[nodiscard]] Refusal refusal(std::size_t offset, std::string_view msg,
                                std::string details) const {
    return refusal(position(offset), msg, std::move(details));
  }

 private:
  std::string name_;
  std::string_view text_;
  // Of every kStep-th byte, so that finding a place in a file of one long line takes no time.
  std::vector<Position> marks_;
};

/// "<file>:<line>:<column>", as editors and compilers have it.
std::string place(std::string_view file, Position position);

}  // namespace unicni::document
