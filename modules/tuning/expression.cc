#include "expression.h"

#include <algorithm>

#include "expression_parser.h"
#include "unicni/error.h"

namespace unicni::tuning {

namespace {

using Step = Expression::Step;
using Place = Expression::Place;

constexpr std::size_t kMostSteps = 20'000;  // of one expression

/// Writes the steps of a tree, from its end: each part knows the step that comes after it.
class Writer {
 public:
  explicit Writer(std::vector<Step>& steps) : steps_(steps) {}

  std::uint32_t add(Step step) {
    if (steps_.size() == kMostSteps)
      throw Error(Code::invalid_config, "expression is too large: its repeats multiply");
    steps_.push_back(std::move(step));
    return static_cast<std::uint32_t>(steps_.size() - 1);
  }

  /// The first step of `node`, after which comes `next`. As deep as groups are nested.
  std::uint32_t write(const ExpressionNode& node, std::uint32_t next) {
    switch (node.kind) {
      case ExpressionNode::Kind::one_of:
        return add({Step::Kind::one_of, {}, next, 0, node.ranges});
      case ExpressionNode::Kind::place:
        return add({Step::Kind::place, node.place, next, 0, {}});
      case ExpressionNode::Kind::sequence:
        for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part)
          next = write(*part, next);
        return next;
      case ExpressionNode::Kind::choice: {
        std::uint32_t first = write(node.parts.back(), next);
        for (std::size_t i = node.parts.size() - 1; i-- > 0;) {
          const std::uint32_t other = first;
          first = add({Step::Kind::fork, {}, write(node.parts[i], next), other, {}});
        }
        return first;
      }
      case ExpressionNode::Kind::repeat:
        return write_repeat(node, next);
    }
    return next;
  }

 private:
  std::uint32_t write_repeat(const ExpressionNode& node, std::uint32_t next) {
    const ExpressionNode& part = node.parts.front();
    std::uint32_t first = next;
    if (node.most == ExpressionNode::kWithoutLimit) {
      first = add({Step::Kind::fork, {}, 0, next, {}});
      const std::uint32_t again = write(part, first);
      steps_[first].next = again;
    } else {
      for (std::uint32_t i = node.least; i < node.most; ++i)
        first = add({Step::Kind::fork, {}, write(part, first), next, {}});
    }
    for (std::uint32_t i = 0; i < node.least; ++i) first = write(part, first);
    return first;
  }

  std::vector<Step>& steps_;
};

bool is_word(char32_t c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_at(Place place, const std::u32string& text, std::size_t at) {
  const bool begin = at == 0;
  const bool end = at == text.size();
  switch (place) {
    case Place::text_begin:
      return begin;
    case Place::text_end:
      return end;
    case Place::line_begin:
      return begin || text[at - 1] == '\n';
    case Place::line_end:
      return end || text[at] == '\n';
    case Place::word:
    case Place::no_word:
      break;
  }
  const bool edge = (!begin && is_word(text[at - 1])) != (!end && is_word(text[at]));
  return edge == (place == Place::word);
}

bool holds(const Expression::Ranges& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

/// Steps that wait for a letter, each once.
class Waiting {
 public:
  explicit Waiting(const std::vector<Step>& steps) : steps_(&steps), reached_(steps.size(), 0) {}

  void begin(std::size_t at) {
    waiting_.clear();
    ++turn_;
    at_ = at;
  }
  /// Goes on from `first` to all that can be reached without a letter; true: the end was.
  bool reach(std::uint32_t first, const std::u32string& text) {
    open_.assign(1, first);
    while (!open_.empty()) {
      const std::uint32_t id = open_.back();
      open_.pop_back();
      if (reached_[id] == turn_) continue;
      reached_[id] = turn_;
      const Step& step = (*steps_)[id];
      if (step.kind == Step::Kind::found) return true;
      if (step.kind == Step::Kind::one_of) {
        waiting_.push_back(id);
        continue;
      }
      if (step.kind == Step::Kind::place && !is_at(step.place, text, at_)) continue;
      if (step.kind == Step::Kind::fork) open_.push_back(step.other);
      open_.push_back(step.next);
    }
    return false;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& ids() const { return waiting_; }

 private:
  const std::vector<Step>* steps_;
  std::vector<std::size_t> reached_;  // in which turn
  std::vector<std::uint32_t> waiting_;
  std::vector<std::uint32_t> open_;
  std::size_t turn_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

Expression::Expression(std::string_view text) {
  const ExpressionNode tree = parse_expression(text);
  Writer writer(steps_);
  first_ = writer.write(tree, writer.add({}));
}

bool Expression::is_in(std::string_view text) const {
  const std::u32string points = code_points(text);
  Waiting now(steps_);
  Waiting then(steps_);
  now.begin(0);
  for (std::size_t at = 0;; ++at) {
    if (now.reach(first_, points)) return true;
    if (at == points.size()) return false;
    then.begin(at + 1);
    for (const std::uint32_t id : now.ids()) {
      const Step& step = steps_[id];
      if (holds(step.ranges, points[at]) && then.reach(step.next, points)) return true;
    }
    std::swap(now, then);
  }
}

}  // namespace unicni::tuning
