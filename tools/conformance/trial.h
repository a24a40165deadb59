// A check at work: the plugin on a private host, its attachments, and what was found.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/check.h"
#include "conformance/host_state.h"
#include "conformance/private_host.h"
#include "conformance/recorder.h"
#include "conformance/silence.h"
#include "probe/process.h"

namespace unicni::conformance {

using probe::Output;
using probe::Spawn;
using probe::succeeds;
using probe::tool;

/// What a check needs before it can ask its own question didn't work. It says nothing of the
/// check's requirements: that an ADD works is another check's.
class Blocked : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A call had no answer, so nothing of what the check asks is known. That a plugin answers is
/// kAnswerId's; here the first such call ends the check.
class NoAnswer : public Blocked {
 public:
  using Blocked::Blocked;
};

/// The plugin's calls in a check.
struct Calls {
  int answered = 0;
  int silent_in_a_row = 0;               ///< the last ones
  std::vector<std::string> silent = {};  ///< "STATUS: no answer within 5 s, …"
};

/// Everything that is the same for the verbs of one attachment. Copy it and change what a check is
/// about.
struct Attachment {
  Json config;  ///< request of ADD: with "cniVersion", of a chained plugin with "prevResult"
  std::string netns = {};
  std::string container_id = {};
  std::string if_name = {};
  std::string cni_path = {};
  std::map<std::string, std::string> env = {};  ///< more variables, such as CNI_ARGS
  int number = 0;                               ///< what "{n}" became
};

class Trial {
 public:
  /// Inside of isolated(). `limit` is for one call of the plugin. Throws CannotRun if a command of
  /// the profile fails.
  Trial(const Subject& subject, const Check& check, std::chrono::milliseconds limit);

  [[nodiscard]] const Subject& subject() const { return subject_; }
  [[nodiscard]] const Profile& profile() const { return subject_.profile(); }

  /// A container "c1", "c2" … with what the profile says an attachment needs. A chained plugin
  /// finds a veth there whose other end is on the host, and its result as prevResult. An empty
  /// `version` is the newest that plugin and suite know.
  Attachment attachment(const std::string& version = {});
  /// A call without a container, as GC and STATUS are.
  [[nodiscard]] Attachment nobody(const std::string& version = {}) const;
  /// Gives it the profile's configuration that has addresses for one attachment.
  void use_small_pool(Attachment& attachment) const;
  Container& container_of(const Attachment& attachment);
  /// The versions in which a plugin of this kind can be called for ADD, from `since` on: a chained
  /// one not before 0.3.0, which has no lists.
  [[nodiscard]] std::vector<std::string> versions(const std::string& since = "0.1.0") const;

  /// A call of the plugin, to change and to make.
  [[nodiscard]] Spawn spawn(const Attachment& attachment, const std::string& command,
                            const Json& request) const;
  /// Calls with just these variables.
  [[nodiscard]] Spawn bare_spawn(const std::vector<std::string>& env,
                                 const std::string& in = {}) const;
  // All calls of the plugin. They throw NoAnswer.
  Output call(const Spawn& spawn);
  std::vector<Output> call_at_once(const std::vector<Spawn>& spawns);
  Output bare(const std::vector<std::string>& env, const std::string& in = {}) {
    return call(bare_spawn(env, in));
  }
  Output call(const Attachment& attachment, const std::string& command, const Json& request) {
    return call(spawn(attachment, command, request));
  }
  Output add(const Attachment& a) { return call(a, "ADD", a.config); }
  /// DEL and CHECK with a result of ADD as prevResult, as runtimes send it from 0.4.0 on.
  Output del(const Attachment& attachment, const Json& result);
  Output check(const Attachment& attachment, const Json& result);
  Output status(const Attachment& a) { return call(a, "STATUS", a.config); }
  /// GC with the list of valid attachments under both of its keys.
  Output gc(const Attachment& attachment, const Json& valid);

  /// ADD that must succeed before the check can go on: its result. Throws Blocked.
  Json must_add(const Attachment& attachment);
  /// The same for DEL.
  void must_del(const Attachment& attachment, const Json& result);
  /// Throws Blocked if it is known that ADD fails here whatever a check changes.
  void needs_working_add() const;

  /// Host, without what the plugin's first attachment makes once and leaves for all others (its
  /// bridge, an empty table, a cursor): the first call makes and removes one to know what that is.
  State host();
  /// Host and container at once.
  State around(const Attachment& attachment);
  /// Addresses that are taken: the files of the profile's folder of reservations.
  [[nodiscard]] std::vector<std::string> taken() const;

  // What is found. `id` is one of the check's.
  void violated(const std::string& id, const std::string& text);
  bool expect(bool fulfilled, const std::string& id, const std::string& text);
  /// Of the last call. Throws Blocked if it is an ADD, and ADD fails anyway.
  bool succeeds(const std::string& id, const Output& output, const std::string& doing);
  /// The plugin must fail; `code` 0 is any. Returns its error object, an empty one if there is
  /// none. Where ADD fails anyway only the right code shows that the plugin saw what is wrong.
  Json fails(const std::string& id, const Output& output, const std::string& doing, int code = 0);
  void same(const std::string& id, const State& before, const State& after,
            const std::string& doing);
  /// same() for the host, which gets a second: the kernel needs its time for a namespace that goes.
  void host_becomes(const std::string& id, const State& before, const std::string& doing);

  [[nodiscard]] const Findings& findings() const { return findings_; }
  [[nodiscard]] const Calls& calls() const { return calls_; }
  /// A check passes on nothing but failures that may have another cause.
  [[nodiscard]] bool is_unproven() const { return is_unproven_; }
  /// Of the first good ADD.
  void set_failing_add(const std::string& why) { failing_add_ = why; }
  [[nodiscard]] const std::string& failing_add() const { return failing_add_; }

 private:
  void count(const Spawn& spawn, const Output& output);
  [[nodiscard]] std::string cni_path() const;
  [[nodiscard]] Attachment make(int number, const std::string& version, const std::string& netns);
  void stand_before(Attachment& attachment, int number);
  void settle();
  [[nodiscard]] State without_shared(State state) const;

  const Subject& subject_;
  std::set<std::string> ids_;
  std::chrono::milliseconds limit_;
  int made_ = 0;
  bool settled_ = false;
  std::set<std::string> shared_;        ///< keys of State
  std::set<std::string> shared_links_;  ///< links, with all that is theirs
  std::list<Container> containers_;
  Findings findings_;
  Calls calls_;
  std::string last_command_;
  bool is_unproven_ = false;
  std::string failing_add_;
};

/// {"containerID": …, "ifname": …}
Json valid_entry(const Attachment& attachment);
/// Addresses of a result with their prefix, whatever its version.
std::vector<std::string> addresses_in(const Json& result);
/// A list of words for a finding: "a, b".
std::string joined(const std::vector<std::string>& words);

}  // namespace unicni::conformance
