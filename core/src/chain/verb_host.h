// The Host of one verb: handles opened on first use, shared by all steps.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain/request.h"
#include "journal/entry.h"
#include "undo/remembered_rules.h"
#include "unicni/host.h"

namespace unicni::chain {

class Rules;

/// Who holds the lock of the attachment's journal.
class JournalLock {
 public:
  JournalLock() = default;
  JournalLock(const JournalLock&) = delete;
  JournalLock& operator=(const JournalLock&) = delete;
  virtual ~JournalLock() = default;
  virtual void let_go() = 0;
  virtual void take_again() = 0;  ///< throws Error if it can't be had in time
  /// ADD: the configuration that policies made for the delegate of the step at work.
  virtual void record_delegate(const std::string& config);
};

class VerbHost final : public Host {
 public:
  explicit VerbHost(const Request& request);
  VerbHost(const VerbHost&) = delete;
  VerbHost& operator=(const VerbHost&) = delete;
  ~VerbHost() override;  ///< says how many lines log() left out

  net::Netlink& host_links() override;
  const net::Netns& host_netns() override;
  const net::Netns* container_netns() override;
  net::Netlink& container_links() override;
  /// "" also if CNI_NETNS is no namespace.
  std::string find_container_identity() override;
  net::Nft& nft() override;
  Attachments& attachments() override { return attachments_; }
  UndoLog& undo() override;
  Ipam& ipam() override;
  void log(LogLevel level, std::string_view text) override;
  Delegate& delegate() override;
  [[nodiscard]] const Folders& folders() const override { return services_.folders; }
  [[nodiscard]] std::string executable() const override { return request_.where.executable; }
  Daemons& daemons() override { return daemons_; }

  /// Throws Error if a piece of work left the thread in another namespace than the runtime's, which
  /// decides what is changed there. Ask before going on past an error.
  void require_home() const;

  /// Folder of the journals.
  [[nodiscard]] std::string journals() const { return services_.folders.journals(); }
  /// What journals of this boot and host say in their header.
  journal::Place place();

  /// Runs `work`, a plugin that is a program and may call us for the same attachment, while nobody
  /// of this process holds the attachment's lock. Throws what `work` throws, or take_again().
  std::string unlocked(const std::function<std::string()>& work);
  /// Who holds it from now on; nullptr: nobody.
  void set_journal_lock(JournalLock* holder) { journal_lock_ = holder; }
  [[nodiscard]] JournalLock* journal_lock() const { return journal_lock_; }
  /// ADD: the policies that hold for it, which outlive this; nullptr: none.
  void set_rules(Rules* rules) { rules_ = rules; }
  [[nodiscard]] Rules* rules() const { return rules_; }
  /// Makes our nftables rules again if somebody flushed them. DEL does it for the tables of its
  /// `own` elements before it removes those, so that it sees what others need; nullptr: for all.
  /// Never throws: it is nobody's order.
  void restore_rules(const std::vector<net::NftElement>* own = nullptr) noexcept;
  /// Who works now, and with what.
  struct ActiveStep {
    std::string type;
    std::optional<std::size_t> place = {};  ///< in its list
    UndoLog* undo = nullptr;
    Ipam* ipam = nullptr;
    Delegate* delegate = nullptr;
  };
  [[nodiscard]] const ActiveStep& active() const { return active_; }
  void enter(ActiveStep step) { active_ = std::move(step); }
  /// ADD, also of modules that never open the namespace: Error(invalid_netns) if CNI_NETNS is our
  /// own.
  void refuse_own_netns() const;
  /// The container that is worked on next, as the ADD of a journal's step saw it; empty texts, and
  /// a path that leads elsewhere by now: none. Verbs of all kinds go on without it.
  void visit_container(const std::string& path, const std::string& identity);
  /// Back to CNI_NETNS; `is_ours` false: it is somebody else's and stays untouched.
  void leave_container(bool is_ours = true);
  /// Identity of the container's namespace, "" if there is none.
  std::string container_identity();

 private:
  [[nodiscard]] bool tolerant() const;  // DEL, GC, STATUS go on without the container's namespace
  void open_container();
  void require_visited();

  /// Says whose work it is that an observer hears of.
  class MemberObserver final : public Observer {
   public:
    MemberObserver(const VerbHost& host, Observer* to) : host_(host), to_(to) {}
    void on_event(const Event& event) noexcept override;

   private:
    const VerbHost& host_;
    Observer* to_;
  };

  const Request& request_;
  MemberObserver observer_;
  const Services services_;  // the request's, with `observer_` if there is one
  std::string netns_path_;
  ActiveStep active_;
  JournalLock* journal_lock_ = nullptr;
  Rules* rules_ = nullptr;
  std::optional<net::Netns> host_netns_;
  std::optional<net::Netlink> host_links_;
  bool container_opened_ = false;
  std::string visited_;  // what visit_container() expects there
  std::optional<net::Netns> container_netns_;
  std::optional<net::Netlink> container_links_;
  undo::RememberedRules remembered_;
  std::optional<net::Nft> nft_;
  Attachments attachments_;
  Daemons daemons_;
  static constexpr std::size_t kMostLines = 20;
  struct Line {
    LogLevel level;
    std::string member;
    std::string text;
    friend bool operator==(const Line&, const Line&) = default;
  };
  std::vector<Line> warned_;  // at most kMostLines
  std::size_t untold_ = 0;
};

}  // namespace unicni::chain
