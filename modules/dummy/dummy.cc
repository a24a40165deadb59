// dummy: an interface that leads nowhere, for addresses that the container shall have.
#include "unicni/net/dummy.h"

#include <cerrno>

#include "config.h"
#include "unicni/error.h"
#include "unicni/link_module.h"
#include "unicni/undo/container_link.h"

namespace unicni::dummy {

namespace {

class Dummy final : public LinkModule {
 protected:
  const char* container_kind() const override { return "dummy"; }
  bool needs_ipam() const override { return true; }
  std::optional<Dns> dns(const Call& call) const override {
    return call.options<DummyOptions>().dns.chosen();
  }
  MadeLink create_link(LinkAdd& add) override;
  void check_link(const Call&, Host&, const net::Link&) override {}
};

/// On the container's own socket: before Linux 6.15 a name that the host has is refused for a link
/// that is born elsewhere.
MadeLink Dummy::create_link(LinkAdd& add) {
  net::LinkSpec spec;
  spec.name = add.call.key.if_name;
  add.host.undo().announce(undo_container_link(spec.name, container_kind()));
  net::Batch batch(add.host.container_links());
  net::add_dummy(batch, spec);
  try {
    batch.commit();
  } catch (Error& error) {
    if (batch.error_of(0) != EOPNOTSUPP) throw;
    throw error.advise("the kernel module dummy is missing: modprobe dummy (CONFIG_DUMMY)");
  }
  return get_made_link(add);
}

}  // namespace

}  // namespace unicni::dummy

UNICNI_MODULE(dummy, link, unicni::dummy::Dummy, .options = &unicni::dummy::kDummyOptions);
