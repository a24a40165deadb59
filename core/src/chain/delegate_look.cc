#include "chain/delegate_look.h"

#include <optional>

#include "unicni/error.h"
#include "unicni/host.h"

namespace unicni::chain {
namespace {

/// Ends the verb. Whether it is asked for something decides what an error of the verb means.
class Curtain {
 public:
  [[noreturn]] void refuse() {
    was_touched_ = true;
    throw Error(Code::internal, "nothing is done while it is only looked at");
  }
  [[nodiscard]] bool was_touched() const { return was_touched_; }

 private:
  bool was_touched_ = false;
};

class ToldDelegate final : public Delegate {
 public:
  explicit ToldDelegate(Curtain& curtain) : curtain_(curtain) {}
  void configure(const std::string& config) override {
    config_ = config;
    curtain_.refuse();
  }
  [[nodiscard]] bool in_process() const override { curtain_.refuse(); }
  Result add() override { curtain_.refuse(); }
  void del() override { curtain_.refuse(); }
  void check() override { curtain_.refuse(); }
  void gc() override { curtain_.refuse(); }
  void status() override { curtain_.refuse(); }

  [[nodiscard]] const std::optional<std::string>& config() const { return config_; }

 private:
  Curtain& curtain_;
  std::optional<std::string> config_;
};

class NoHost final : public Host {
 public:
  NoHost(const Folders& folders, Delegate& delegate, Curtain& curtain)
      : folders_(folders), delegate_(delegate), curtain_(curtain) {}
  net::Netlink& host_links() override { curtain_.refuse(); }
  const net::Netns& host_netns() override { curtain_.refuse(); }
  const net::Netns* container_netns() override { curtain_.refuse(); }
  net::Netlink& container_links() override { curtain_.refuse(); }
  std::string find_container_identity() override { curtain_.refuse(); }
  net::Nft& nft() override { curtain_.refuse(); }
  Attachments& attachments() override { curtain_.refuse(); }
  void log(LogLevel /*level*/, std::string_view /*text*/) override {}
  UndoLog& undo() override { curtain_.refuse(); }
  Ipam& ipam() override { curtain_.refuse(); }
  Delegate& delegate() override { return delegate_; }
  [[nodiscard]] const Folders& folders() const override { return folders_; }

 private:
  const Folders& folders_;
  Delegate& delegate_;
  Curtain& curtain_;
};

}  // namespace

std::optional<std::string> find_delegate_config(const Request& request, Step& step) {
  Curtain curtain;
  ToldDelegate delegate(curtain);
  NoHost host(request.services.folders, delegate, curtain);
  try {
    static_cast<void>(step.module->add(step.call, host));
  } catch (const Error&) {
    if (!curtain.was_touched()) throw;
  }
  return delegate.config();
}

}  // namespace unicni::chain
