// The request of a DEL with what ADD found that may be gone by now.
#pragma once

#include <optional>
#include <string>

#include "chain/request.h"
#include "journal/entry.h"

namespace unicni::chain {

class RequestOfAdd {
 public:
  /// `now` outlives it.
  explicit RequestOfAdd(const Request& now) : now_(now) {}
  /// If a module of ours did the work of `type` for the step, under a name that only a link to our
  /// executable has, the type counts as ours: the link may be gone, the module isn't.
  void take(const journal::RecordedStep& step, const std::string& type);
  /// Stays in its place until something is taken for the first time, and from then on.
  [[nodiscard]] const Request& get() const { return then_ ? *then_ : now_; }

 private:
  const Request& now_;
  std::optional<Request> then_;
};

}  // namespace unicni::chain
