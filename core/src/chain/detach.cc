#include "chain/detach.h"

#include "chain/failures.h"
#include "chain/foreign.h"
#include "chain/recorder.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

class Detachment {
 public:
  Detachment(const Request& request, VerbHost& host) : request_(request), host_(host) {}
  void del(Member member, std::size_t index, bool direct);
  [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }

 private:
  template <class Work>
  bool attempt(const std::string& type, Work&& work) {
    try {
      work();
      return true;
    } catch (Error& error) {
      errors_.push_back(error.in_step(type));
      return false;
    }
  }
  [[nodiscard]] bool same_namespace(const journal::Entry& entry);
  void sweep(Step& step);

  const Request& request_;
  VerbHost& host_;
  std::vector<Error> errors_;
};

bool Detachment::same_namespace(const journal::Entry& entry) {
  if (host_.container_netns() != nullptr) {
    return entry.container_netns.empty() || entry.container_netns == host_.container_identity();
  }
  const std::string& path = request_.environment.netns;
  return path.empty() || path == entry.netns_path;
}

void Detachment::sweep(Step& step) {
  if (!step.module) {
    if (!step.found.program.empty()) {
      run_foreign(request_, step.found.program, Command::del,
                  with_request_prev_result(request_, step.netconf).text());
    }
    return;
  }
  step.ipam->bind(host_);
  step.module->del(step.call, host_);
}

void Detachment::del(Member member, std::size_t index, bool direct) {
  const std::string type = member.type;
  host_.enter(type, nullptr, nullptr);
  const protocol::Netconf& outer = request_.netconf;
  std::optional<Result> prev_result;
  try {
    prev_result = outer.prev_result();
  } catch (const Error& error) {
    host_.log(LogLevel::warning, "prevResult is ignored: " + error.msg());
  }
  const auto warn = [&](const std::string& text) { host_.log(LogLevel::warning, text); };
  std::unique_ptr<Step> step =
      make_step(request_, type, std::move(member.netconf), index, direct, prev_result, warn);
  const bool knows_ipam_only = step->module && !step->journaled();
  if (knows_ipam_only || !step->found.program.empty()) {
    host_.enter(type, nullptr, step->ipam.get());
    attempt(type, [&] { sweep(*step); });
    return;
  }

  std::optional<journal::Journal> journal;
  attempt(type, [&] {
    journal.emplace(open_journal(request_, host_, key_of(request_), journal::Access::removal));
  });
  const journal::Entry* entry = journal ? journal->entry() : nullptr;
  bool clean = true;
  bool found = false;
  if (entry != nullptr) {
    host_.expect_container(entry->container_netns);
    const bool same = same_namespace(*entry);
    for (auto done = entry->steps.rbegin(); done != entry->steps.rend(); ++done) {
      if (done->type != type) continue;
      if (same && !found && step->module) {
        // What ADD was given decides, whatever the file says today.
        attempt(type, [&] {
          step =
              make_step(request_, type,
                        with_request_prev_result(request_, protocol::Netconf::parse(done->config)),
                        index, direct, prev_result, warn);
        });
      }
      found = true;
      const auto why = done->result.empty() ? journal::Why::failed_add : journal::Why::removal;
      for (Error& error : undo_records(done->undo, why, request_, host_, step->ipam.get())) {
        errors_.push_back(error.in_step(type));
        clean = false;
      }
    }
  }
  host_.enter(type, nullptr, step->ipam.get());
  attempt(type, [&] { sweep(*step); });
  if (found && clean) attempt(type, [&] { journal->forget_steps(type); });
}

}  // namespace

void detach(const Request& request, VerbHost& host, std::vector<Member> members, bool direct,
            const Watch& watch) {
  Detachment detachment(request, host);
  std::size_t index = members.size();
  while (index > 0) {
    --index;
    watch(members[index].type);
    detachment.del(std::move(members[index]), index, direct);
  }
  throw_first(detachment.errors());
}

}  // namespace unicni::chain
