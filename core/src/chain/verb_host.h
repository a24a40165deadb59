// The Host of one verb: handles opened on first use, shared by all steps.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain/request.h"
#include "journal/journal.h"
#include "unicni/host.h"

namespace unicni::chain {

/// Who holds the lock of the attachment's journal.
class LockHolder {
 public:
  LockHolder() = default;
  LockHolder(const LockHolder&) = delete;
  LockHolder& operator=(const LockHolder&) = delete;
  virtual ~LockHolder() = default;
  virtual void let_go() = 0;
  virtual void take_again() = 0;  ///< throws Error if it can't be had in time
};

class VerbHost final : public Host {
 public:
  explicit VerbHost(const Request& request)
      : request_(request), netns_path_(request.environment.netns) {}
  VerbHost(const VerbHost&) = delete;
  VerbHost& operator=(const VerbHost&) = delete;
  ~VerbHost() override;  ///< says how many lines log() left out

  net::Netlink& host_links() override;
  const net::Netns& host_netns() override;
  const net::Netns* container_netns() override;
  net::Netlink& container_links() override;
  net::Nft& nft() override;
  UndoLog& undo() override;
  std::optional<sys::Lock> hold_shared_links() override;
  Ipam& ipam() override;
  [[nodiscard]] bool is_gone(const std::string& owner) override;
  void log(LogLevel level, std::string_view text) override;
  [[nodiscard]] bool is_anothers(const Attachment& owner, const IpAddress& address) override;
  [[nodiscard]] bool is_container_gone(const std::string& network,
                                       const std::string& container_id) override;
  [[nodiscard]] std::optional<sys::Lock> hold_host_ports() override;
  [[nodiscard]] std::vector<Undo> remembered(std::string_view type, Steps steps,
                                             std::size_t most) override;
  [[nodiscard]] bool has_iptables_ports_of_sibling(const std::string& network,
                                                   const Attachment& owner) override;
  Delegate& delegate() override;
  [[nodiscard]] bool is_file_of_sibling(const std::string& path) override;

  /// What journals of this boot and host say in their header.
  journal::Place place();

  /// Runs `work`, a plugin that is a program and may call us for the same attachment, while nobody
  /// of this process holds the attachment's lock. Throws what `work` throws, or take_again().
  std::string unlocked(const std::function<std::string()>& work);
  /// Who holds it from now on; nullptr: nobody.
  void set_lock_holder(LockHolder* holder) { lock_holder_ = holder; }
  /// Makes our nftables rules again if somebody flushed them. DEL does it for the tables of its
  /// `own` elements before it removes those, so that it sees what others need; nullptr: for all.
  /// Never throws: it is nobody's order.
  void restore_rules(const std::vector<net::NftElement>* own = nullptr) noexcept;
  /// Who works now, and with what.
  struct Scene {
    std::string type;
    UndoLog* undo = nullptr;
    Ipam* ipam = nullptr;
    Delegate* delegate = nullptr;
  };
  [[nodiscard]] const Scene& scene() const { return scene_; }
  void enter(Scene scene) { scene_ = std::move(scene); }
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
  /// The same for steps that can do without it: "" also if CNI_NETNS is no namespace. Throws Error
  /// for anything else.
  std::string find_container_identity();

 private:
  [[nodiscard]] bool tolerant() const;  // DEL, GC, STATUS go on without the container's namespace
  void open_container();
  void require_visited();

  const Request& request_;
  std::string netns_path_;
  Scene scene_;
  LockHolder* lock_holder_ = nullptr;
  std::optional<net::Netns> host_netns_;
  std::optional<net::Netlink> host_links_;
  bool container_opened_ = false;
  std::string visited_;  // what visit_container() expects there
  std::optional<net::Netns> container_netns_;
  std::optional<net::Netlink> container_links_;
  std::optional<net::Nft> nft_;
  static constexpr std::size_t kMostLines = 20;
  std::vector<std::string> warned_;  // at most kMostLines
  std::size_t untold_ = 0;
};

}  // namespace unicni::chain
