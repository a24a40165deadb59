// tuning: sets sysctls of the container and attributes of its interface, and puts the old values
// back.
#include <fmt/core.h>

#include <set>
#include <string>
#include <vector>

#include "allow_list.h"
#include "backup.h"
#include "config.h"
#include "unicni/attachment_rules.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/net/sysctl.h"
#include "unicni/netfilter/nft.h"
#include "unicni/sys/file.h"
#include "unicni/undo/file.h"
#include "unicni/undo/link_settings.h"
#include "unicni/undo/sysctl.h"

namespace unicni::tuning {

namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr const char* kAnyName = "eth0";

/// What `link` is now of that which `change` changes.
net::LinkChange present(const net::Link& link, const net::LinkChange& change) {
  net::LinkChange before;
  if (change.mac) before.mac = link.mac;
  if (change.mtu) before.mtu = link.mtu;
  if (change.promisc) before.promisc = link.promisc;
  if (change.allmulti) before.allmulti = link.allmulti;
  if (change.tx_queue_len) before.tx_queue_len = link.tx_queue_len;
  return before;
}

/// What an earlier ADD saw is older and stays.
void keep_oldest(net::LinkChange& before, const net::LinkChange& older) {
  if (older.mac) before.mac = older.mac;
  if (older.mtu) before.mtu = older.mtu;
  if (older.promisc) before.promisc = older.promisc;
  if (older.allmulti) before.allmulti = older.allmulti;
  if (older.tx_queue_len) before.tx_queue_len = older.tx_queue_len;
}

/// A message each, so that an error names the one that the link refuses.
void set_each(net::Batch& batch, const net::Link& link, const net::LinkChange& change) {
  const auto set = [&](auto member) {
    net::LinkChange one;
    one.*member = change.*member;
    net::change_link(batch, link, one);
  };
  set(&net::LinkChange::mtu);
  set(&net::LinkChange::mac);
  set(&net::LinkChange::promisc);
  set(&net::LinkChange::allmulti);
  set(&net::LinkChange::tx_queue_len);
}

/// The plugins that come after this one in DEL know the link by the MAC of prevResult, which it
/// hasn't any more: their sign is the attachment as the link's alias. A device of the host has none
/// of ours, as it outlives the attachment.
void mark_restored(net::Batch& batch, const Call& call, const net::Link& link,
                   const net::LinkChange& before) {
  const bool other_mac = before.mac && *before.mac != link.mac;
  if (!other_mac || link.kind.empty() || !link.alias.empty()) return;
  net::change_link(batch, link, {.alias = call.key.alias()});
}

bool is_there(Host& host, const net::NftElement& element) {
  const auto found = host.nft().find(element.set, element.key, element.table);
  return found && found->owner == element.owner;
}

/// Where bridge's "macspoofchk" checks the port, the list's last MAC may send as well as the one
/// that bridge gave, which the container has again after DEL of tuning alone. What is bridge's
/// (that the port is checked) is announced by bridge only.
void allow_mac(const Call& call, Host& host, const net::Link& container, const Mac& mac) {
  if (container.kind != "veth" || mac == container.mac) return;
  const auto port = find_host_veth(call, host);
  if (!port || port->master == 0) return;
  const std::string owner = call.key.comment();
  for (const auto& each : net::spoof_check_elements(port->name, container.mac, owner)) {
    if (!is_there(host, each)) return;
  }
  std::vector<net::NftElement> elements = net::spoof_check_elements(port->name, mac, owner);
  std::erase_if(elements, [&](const auto& each) { return is_there(host, each); });
  add_rules(call, host, elements, {});
}

/// Two networks of a container may set one sysctl, and the CHECK of one of them fails for good.
constexpr const char* kChangedAfterAdd =
    "a program, or another network of this container, changed it after ADD: let only one of them "
    "set it, and change it back or run DEL and then ADD for the attachment";

class Tuning : public ChainedModule {
 public:
  void del(const Call& call, Host& host) override {
    const std::string path = backup_path(call, call.options<TuningOptions>().data_dir);
    const auto backup = read_backup(path);
    if (backup) {
      if (const auto link = find_own_link(call, host)) {
        net::Batch batch(host.container_links());
        set_each(batch, *link, backup->before);
        mark_restored(batch, call, *link, backup->before);
        batch.commit();
      }
    }
    sys::remove_file(path);
  }

  void check(const Call& call, Host& host) override {
    const Settings wanted = settings(call.options<TuningOptions>(), call.key.if_name);
    check_sysctls(call, host, wanted);
    if (!wanted.touches_link()) return;
    const net::Link link = net::get_link(host.container_links(), call.key.if_name);
    const auto compare = [&](const char* what, const auto& is, const auto& should) {
      if (!should || is == *should) return;
      throw Error(Code::internal,
                  fmt::format("{} of {} is {}, not {}", what, link.name, is, *should),
                  kChangedAfterAdd);
    };
    if (wanted.link.mac && *wanted.link.mac != link.mac) {
      throw Error(
          Code::internal,
          fmt::format("MAC of {} is {}, not {}", link.name, link.mac.str(), wanted.mac_text),
          kChangedAfterAdd);
    }
    compare("MTU", link.mtu, wanted.link.mtu);
    compare("promiscuous mode", link.promisc || link.promiscuity != 0, wanted.link.promisc);
    compare("all-multicast mode", link.allmulti, wanted.link.allmulti);
    compare("transmit queue length", link.tx_queue_len, wanted.link.tx_queue_len);
  }

  void gc(const Call& call, Host&) override {
    if (!call.valid_attachments) return;
    const ValidAttachments& valid = *call.valid_attachments;
    const std::string& folder = call.options<TuningOptions>().data_dir;
    for (const std::string& name : sys::list_folder(folder)) {
      const std::string path = folder + '/' + name;
      const auto backup = name.ends_with(".json") ? read_backup(path) : std::nullopt;
      const bool stale = backup && backup->network == call.key.network &&
                         !valid.contains({backup->container_id, backup->if_name});
      if (stale) sys::remove_file(path);
    }
  }

  void status(const Call& call, Host&) override {
    require_allowed(settings(call.options<TuningOptions>(), kAnyName).sysctls, Code::not_available);
  }

 protected:
  void validate_options(const Call& call) override {
    if (const auto twice = find_repeated_key(call.request, "sysctl")) {
      throw Error(Code::invalid_config, "duplicated sysctl keys are not allowed",
                  fmt::format("remove one of the two entries \"{}\" of \"sysctl\"", *twice));
    }
    // GC and STATUS have no interface, whatever CNI_IFNAME is.
    const bool named = call.command == Command::add || call.command == Command::check;
    const std::string name = named ? call.key.if_name : kAnyName;
    const Settings wanted = settings(call.options<TuningOptions>(), name);
    if (call.command == Command::add) require_allowed(wanted.sysctls, Code::invalid_config);
  }

  void apply(const Call& call, Host& host, Result& result) override {
    const Settings wanted = settings(call.options<TuningOptions>(), call.key.if_name);
    set_sysctls(call, host, wanted.sysctls);
    if (!wanted.touches_link()) return;
    change_interface(call, host, wanted);
    for (Interface& interface : result.interfaces) {
      if (interface.name != call.key.if_name || interface.sandbox.empty()) continue;
      if (wanted.link.mac) interface.mac = wanted.mac_text;
      if (wanted.link.mtu && interface.mtu != 0) interface.mtu = *wanted.link.mtu;
    }
  }

 private:
  static void set_sysctls(const Call& call, Host& host, const std::vector<Sysctl>& sysctls) {
    if (sysctls.empty()) return;
    const net::Netns& netns = *host.container_netns();
    std::vector<const Sysctl*> changes;
    std::vector<Undo> records;
    netns.run([&] { plan_sysctls(call, netns, sysctls, changes, records); }, host.host_netns());
    for (const Undo& record : records) host.undo().announce(record);
    netns.run(
        [&] {
          for (const Sysctl* each : changes) {
            try {
              net::set_sysctl(each->key, each->value, &netns);
            } catch (Error& error) {
              throw Error(
                  error.code(),
                  fmt::format("set sysctl {} to \"{}\": {}", each->key, each->value, error.msg()),
                  error.details());
            }
          }
        },
        host.host_netns());
  }

  /// In the container's namespace: which sysctls have another value, and what each is.
  static void plan_sysctls(const Call& call, const net::Netns& netns,
                           const std::vector<Sysctl>& sysctls, std::vector<const Sysctl*>& changes,
                           std::vector<Undo>& records) {
    for (const Sysctl& each : sysctls) {
      std::optional<std::string> old;
      try {
        old = net::find_sysctl(each.key, {.young = &netns});
        if (!old) {
          throw Error(Code::invalid_config,
                      fmt::format("sysctl {} does not exist in {}", each.key, call.netns),
                      "correct the sysctl's name, or load the kernel module that it belongs to");
        }
      } catch (const Error& error) {
        if (error.is(Code::invalid_config)) throw;
        // Can only be written, as net/ipv4/route/flush: there is nothing to put back.
        changes.push_back(&each);
        continue;
      }
      records.push_back(undo_sysctl(each.key, *old, each.value));
      if (!net::same_sysctl_value(*old, each.value)) changes.push_back(&each);
    }
  }

  static void change_interface(const Call& call, Host& host, const Settings& wanted) {
    const std::string& folder = call.options<TuningOptions>().data_dir;
    const std::string path = backup_path(call, folder);
    net::Netlink& links = host.container_links();
    const net::Link link = net::get_link(links, call.key.if_name);
    net::LinkChange before = present(link, wanted.link);
    if (const auto earlier = read_backup(path)) keep_oldest(before, earlier->before);
    const std::string text = print_backup(call, before);
    sys::ensure_folder(folder, kFolderMode);
    host.undo().announce(undo_file(path, text));
    // A new one in place: DEL knows no temporary file that a killed ADD leaves. Nothing is changed
    // yet, so that half of it does no harm.
    if (!sys::create_file(path, text, kFileMode)) sys::write_file_atomically(path, text, kFileMode);
    if (wanted.link.mac) allow_mac(call, host, link, *wanted.link.mac);
    host.undo().announce(undo_link_settings(link, before));
    net::Batch batch(links);
    set_each(batch, link, wanted.link);
    batch.commit();
  }

  static void check_sysctls(const Call& call, Host& host, const Settings& wanted) {
    for (const Sysctl& each : wanted.sysctls) {
      std::optional<std::string> value;
      try {
        value = net::find_sysctl(each.key, {.in = host.container_netns()});
      } catch (const Error&) {
        continue;  // can only be written
      }
      if (value && net::same_sysctl_value(*value, each.value)) continue;
      throw Error(Code::internal,
                  value ? fmt::format("sysctl {} in {} is \"{}\", not \"{}\"", each.key, call.netns,
                                      *value, each.value)
                        : fmt::format("sysctl {} is missing in {}", each.key, call.netns),
                  kChangedAfterAdd);
    }
  }
};

constexpr const char* kCapabilities[] = {"mac", nullptr};

}  // namespace

}  // namespace unicni::tuning

UNICNI_MODULE(tuning, chained, unicni::tuning::Tuning, .options = &unicni::tuning::kTuningOptions,
              .traits = unicni::Trait::enters_container,
              .capabilities = unicni::tuning::kCapabilities);
