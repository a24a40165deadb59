// Which steps of a journal belong to which members of the request: a list may have changed since
// its ADD, and may have two members of one type.
#include "chain/member.h"

#include <algorithm>
#include <functional>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

/// nullopt: a configuration that can't be read is equal to none.
std::optional<std::string> identity_of(const journal::RecordedStep& step) {
  try {
    return protocol::Netconf::parse(step.asked.empty() ? step.config : step.asked).identity();
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// An assignment in the making. Configurations are compared only where a type has several steps.
class Assigner {
 public:
  Assigner(const journal::Entry& entry, const std::vector<Member>& members,
           const module::Locations& where)
      : entry_(entry), members_(members), where_(where), taken_(entry.steps.size(), false) {
    result_.of_members.resize(members.size());
  }
  Assignment run();

 private:
  struct Candidate {
    std::size_t member;
    std::size_t step;  // index in the entry
  };
  [[nodiscard]] bool is_free(const Candidate& pair) const;
  [[nodiscard]] bool is_only_choice(const std::string& type) const;
  bool equal(const Candidate& pair);
  bool in_place(const Candidate& pair) const {
    return members_[pair.member].ordinal == entry_.steps[pair.step].ordinal;
  }
  void take(const Candidate& pair);
  void take_all(const std::function<bool(const Candidate&)>& fits);
  void take_last();
  void take_renamed();

  const journal::Entry& entry_;
  const std::vector<Member>& members_;
  const module::Locations& where_;
  std::vector<bool> taken_;
  std::vector<std::optional<std::string>> member_texts_;
  std::vector<std::optional<std::string>> step_texts_;
  Assignment result_;
};

bool Assigner::is_free(const Candidate& pair) const {
  return !taken_[pair.step] && members_[pair.member].type == entry_.steps[pair.step].type;
}

/// Nearly every list has each type once. Then nothing need be compared, and no configuration
/// parsed.
bool Assigner::is_only_choice(const std::string& type) const {
  const auto of_type = [&](const auto& each) { return each.type == type; };
  return std::count_if(entry_.steps.begin(), entry_.steps.end(), of_type) <= 1 &&
         std::count_if(members_.begin(), members_.end(), of_type) == 1;
}

/// Texts are made when first needed, and all at once.
bool Assigner::equal(const Candidate& pair) {
  if (member_texts_.empty()) {
    for (const Member& member : members_) member_texts_.push_back(member.netconf.identity());
    for (const journal::RecordedStep& step : entry_.steps) step_texts_.push_back(identity_of(step));
  }
  return step_texts_[pair.step] && step_texts_[pair.step] == member_texts_[pair.member];
}

void Assigner::take(const Candidate& pair) {
  taken_[pair.step] = true;
  result_.of_members[pair.member].push_back(entry_.steps[pair.step].id);
}

void Assigner::take_all(const std::function<bool(const Candidate&)>& fits) {
  for (std::size_t member = 0; member < members_.size(); ++member) {
    if (is_only_choice(members_[member].type)) continue;
    for (std::size_t step = 0; step < entry_.steps.size(); ++step) {
      const Candidate pair{member, step};
      if (is_free(pair) && fits(pair)) take(pair);
    }
  }
}

/// From behind, as DEL goes backward: a member that is called twice takes its latest step first.
void Assigner::take_last() {
  for (std::size_t member = members_.size(); member-- > 0;) {
    if (!result_.of_members[member].empty()) continue;
    for (std::size_t step = entry_.steps.size(); step-- > 0;) {
      if (!is_free({member, step})) continue;
      take({member, step});
      break;
    }
  }
}

/// A list that was written anew with other names ("tuning" for "cnv-tuning").
void Assigner::take_renamed() {
  for (const bool is_moved : {false, true}) {
    for (std::size_t member = members_.size(); member-- > 0;) {
      for (std::size_t step = entry_.steps.size(); step-- > 0;) {
        if (!result_.of_members[member].empty()) break;
        if (taken_[step] || (!is_moved && !in_place({member, step}))) continue;
        if (is_of_type(entry_.steps[step], members_[member].type, where_)) take({member, step});
      }
    }
  }
}

/// From the surest to the weakest sign: place and configuration, configuration, place, type alone,
/// module.
Assignment Assigner::run() {
  take_all([&](const Candidate& pair) { return in_place(pair) && equal(pair); });
  take_all([&](const Candidate& pair) {
    return result_.of_members[pair.member].empty() && equal(pair);
  });
  take_all([&](const Candidate& pair) {
    return result_.of_members[pair.member].empty() && members_[pair.member].ordinal &&
           in_place(pair);
  });
  take_last();
  take_renamed();
  for (std::size_t step = 0; step < entry_.steps.size(); ++step) {
    if (!taken_[step]) result_.left.push_back(entry_.steps[step].id);
  }
  return std::move(result_);
}

}  // namespace

bool is_step_of(const journal::RecordedStep& step, const std::string& type,
                std::optional<std::size_t> ordinal, const protocol::Netconf& netconf) {
  return step.type == type && step.ordinal == ordinal && identity_of(step) == netconf.identity();
}

bool is_of_program(const journal::RecordedStep& step, const std::string& type) {
  return std::any_of(step.undo.begin(), step.undo.end(), [&](const Undo& record) {
    return record.type == undo::kDelegateKind.type && undo::optional_field(record, "type") == type;
  });
}

/// Names of one module end alike, which tells most of the others without a look at files.
bool is_of_type(const journal::RecordedStep& step, const std::string& type,
                const module::Locations& where) {
  if (step.type == type) return true;
  const auto end = [](std::string_view name) { return name.substr(name.rfind('-') + 1); };
  if (end(step.type) != end(type) || is_of_program(step, step.type)) return false;
  const auto recorded = module::find_named(step.type, where);
  if (!recorded) return false;
  try {
    return module::find_type(type, where).module == recorded->module;
  } catch (const Error&) {
    return false;  // who serves the type is missing
  }
}

Assignment assign(const journal::Entry& entry, const std::vector<Member>& members,
                  const module::Locations& where) {
  return Assigner(entry, members, where).run();
}

/// By the record and not by the type: a delegate's interface is in the step of the plugin that
/// delegated.
bool makes_interface(const journal::RecordedStep& step) {
  return std::any_of(step.undo.begin(), step.undo.end(), [](const Undo& record) {
    return record.type == "veth" || record.type == "container-link" || record.type == "device";
  });
}

bool is_answer(const journal::RecordedStep& step) {
  return !step.result.empty() && step.result != kEnded;
}

}  // namespace unicni::chain
