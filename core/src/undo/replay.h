// Undoing the records of one step, without the module that announced them.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "undo/kind.h"
#include "unicni/errors.h"

namespace unicni::undo {

/// Records from last to first, in the order of Turn. Every object is identified before it is
/// touched (kind, name, alias, owner, content): what isn't ours any more is left, what is gone
/// already is fine. Goes on past errors.
///
/// A delegate that is a program takes its own work back; running programs is not for this unit, so
/// replay stops there and goes on when it is asked for the next:
///   Replay replay(undoing);
///   while (const auto program = replay.next_program()) …
class Replay {
 public:
  /// Of the records of undoing.step.
  explicit Replay(const Undoing& undoing);

  /// A plugin to be called with CNI_COMMAND=DEL.
  struct Program {
    std::string type;
    std::string path;
    std::string request;   ///< what its ADD got on stdin
    bool is_last = false;  ///< no record of its step is later: its ADD may have been what failed
  };
  /// Undoes all up to the next program; nullopt: that was all.
  std::optional<Program> next_program();

  /// Does a piece of work of the same kind, such as running a program: whatever goes wrong is one
  /// of errors().
  template <class Work>
  void attempt(const Work& work) {
    errors_.attempt([&] {
      try {
        work();
      } catch (const Error&) {
        throw;
      } catch (const std::exception& error) {
        throw Error(Code::internal, std::string("undo: ") + error.what());
      }
    });
  }
  [[nodiscard]] const Errors& errors() const noexcept { return errors_; }
  /// Records that this program doesn't know, for a newer one; in the order of time.
  [[nodiscard]] std::vector<Undo> kept() const;

 private:
  [[nodiscard]] bool applies(const Undo& record) const;
  void undo_turn(Turn turn);
  void undo(const UndoKind& kind, const std::vector<Undo>& records);

  Undoing undoing_;
  const std::vector<Undo>& records_;
  bool begun_ = false;
  std::size_t left_;  // of the objects' turn: records before this index
  Errors errors_;
  std::vector<Undo> kept_;  // latest first
};

}  // namespace unicni::undo
