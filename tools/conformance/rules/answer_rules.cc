// That a plugin answers at all. The suite makes this check first, and the others with what it
// shows.
#include <functional>
#include <optional>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

/// Calls that the check survives.
class Caller {
 public:
  explicit Caller(Trial& t) : trial_(t) {
    if (!t.subject().silence().empty()) silent(t.subject().silence());
  }
  /// Nothing if there is no answer, or there was none so often that nobody asks any more.
  std::optional<Output> operator()(const std::function<Output()>& call) {
    if (in_a_row_ == kSilentInARow) return std::nullopt;
    try {
      Output output = call();
      in_a_row_ = 0;
      return output;
    } catch (const NoAnswer& none) {
      silent(none.what());
      return std::nullopt;
    }
  }

 private:
  void silent(const std::string& text) {
    ++in_a_row_;
    trial_.violated(kAnswerId, text);
  }

  Trial& trial_;
  int in_a_row_ = 0;
};

/// What runtimes call a plugin with, once each. Whatever it says is an answer.
void every_verb(Trial& t) {
  Caller make(t);
  const Attachment job = t.attachment();
  if (t.subject().silence().empty()) make([&] { return t.bare({"CNI_COMMAND=VERSION"}); });
  const std::optional<Output> added = make([&] { return t.add(job); });
  const Json result = added ? parse_json(added->out) : Json();
  const bool works = added && added->ok() && result.is_object();
  if (!works) t.set_failing_add(added ? added->str() : "it has no answer");
  if (works && t.subject().supports_from("0.4.0")) make([&] { return t.check(job, result); });
  make([&] { return t.del(job, result); });
  if (!t.subject().supports_from("1.1.0")) return;
  make([&] { return t.status(t.nobody()); });
  make([&] { return t.gc(t.nobody(), Json::array()); });
}

const Check kChecks[] = {
    {kAnswerId, "every call is answered", Level::must, "0.1.0", &every, &every_verb},
};

}  // namespace

std::span<const Check> answer_rules() { return kChecks; }

}  // namespace unicni::conformance
