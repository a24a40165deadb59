// dhcp: addresses from the DHCP servers of the network that the interface is in. A daemon keeps the
// leases; the verbs ask it.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <string>
#include <string_view>

#include "channel_v6.h"
#include "config.h"
#include "daemon.h"
#include "lease.h"
#include "leases.h"
#include "renewal.h"
#include "unicni/daemon.h"
#include "unicni/error.h"
#include "unicni/errors.h"
#include "unicni/module.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"
#include "unicni/sys/file.h"
#include "unicni/undo/lease.h"

namespace unicni::dhcp {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A RELEASE has no answer, so the daemon's comes at once, unless it hangs or has a hundred verbs
/// to answer.
constexpr milliseconds kQuestionTime{5000};
/// The same for a verb that takes down: a DEL is to end within 2 s whatever the daemon does.
constexpr milliseconds kReleaseTime{1500};

DaemonPlace place_of(const Call& call, const Host& host) {
  return lease_daemon("dhcp", call.options<DhcpOptions>().socket_path, kDefaultSocket,
                      host.executable(), host.folders());
}

Deadline within(const Call& call, milliseconds time) {
  return std::min<Deadline>(call.deadline, Clock::now() + time);
}

IdentityV6 identity_of_v6(const Call& call) { return identity_v6(client_id(call), call.key); }

/// The daemon runs elsewhere.
std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char folder[PATH_MAX];
  if (::getcwd(folder, sizeof folder) == nullptr) return path;
  return std::string(folder) + '/' + path;
}

constexpr const char* kOff = "off";

/// The kernel has no settings of IPv6 for the interface.
Error no_ipv6(std::uint32_t mtu) {
  if (mtu >= kLeastMtuV6) return {Code::internal, "this kernel has no IPv6"};
  return {Code::internal, fmt::format("its MTU is {}, and IPv6 needs {}", mtu, kLeastMtuV6)};
}

/// The packets of DHCPv6 leave from a link-local address, which needs IPv6; container engines
/// switch it off in new namespaces. False: this kernel has none, or nobody may switch it on.
bool enable_ipv6(const Call& call, Host& host) {
  if (call.options<DhcpOptions>().ipv6 == kOff) return false;
  const auto enable = [&] {
    const net::Netns* young = host.container_netns();
    const std::string conf = "net/ipv6/conf/";
    bool is_there = false;
    try {
      is_there =
          net::ensure_sysctl(conf + call.key.if_name + "/disable_ipv6", "0", {.young = young});
    } catch (const Error& error) {
      throw Error(Code::internal, fmt::format("IPv6 is switched off on {}, and stays so: {}",
                                              call.key.if_name, error.msg()));
    }
    if (!is_there) throw no_ipv6(net::get_link_mtu(host.container_links(), call.key.if_name));
  };
  try {
    host.container_netns()->run(enable, host.host_netns());
    // From here on the kernel asks routers, and has their answers sooner.
    const net::Link link = net::get_link(host.container_links(), call.key.if_name);
    net::ready_link_local(host.container_links(), link,
                          own_link_local(link, identity_of_v6(call).duid));
  } catch (const Error& error) {
    if (call.options<DhcpOptions>().ipv6 != "on") throw;
    host.log(LogLevel::warning,
             fmt::format("no IPv6 address from DHCP for {}: {}", call.key.if_name, error.msg()));
    return false;
  }
  return true;
}

Line acquire_request(const Call& call, milliseconds time, bool with_ipv6) {
  const auto& options = call.options<DhcpOptions>();
  Line line{"acquire",
            {{"network", call.key.network},
             {"container", call.key.container_id},
             {"if_name", call.key.if_name},
             {"netns_path", absolute(call.netns)},
             {"time", std::to_string(time.count())},
             {"probe", std::to_string(options.arp_probe)},
             {"priority", std::to_string(options.priority)}}};
  Identity identity;
  identity.client_id = client_id(call);
  identity.provide = provided(call);
  identity.provide.erase(static_cast<std::uint8_t>(OptionCode::client_id));
  identity.request = requested(options);
  add_identity(identity, line);
  if (with_ipv6) {
    LeaseV6 wanted;
    wanted.need = options.ipv6 == "on" ? NeedV6::wanted : NeedV6::required;
    wanted.identity = identity_of_v6(call);
    add_lease_v6(wanted, line);
  }
  return line;
}

GrantV4 grant_in(const Line& answer) {
  auto grant = read_grant(answer);
  if (!grant) throw Error(Code::internal, "the dhcp daemon's answer is damaged", "restart it");
  return *std::move(grant);
}

/// Of an attachment that goes without IPv6.
void warn(const Line& answer, Host& host) {
  const std::string* text = answer.find("v6.warning");
  if (text != nullptr) host.log(LogLevel::warning, *text);
}

/// A daemon of before IPv6 says nothing of it.
void require_told(const Line& answer, const DhcpOptions& options) {
  if (answer.find("v6.warning") != nullptr && options.ipv6 == "on") return;
  throw Error(Code::incompatible_version,
              "the dhcp daemon is older than this module and asks for no IPv6 address",
              "end it; the next ADD starts a new one");
}

/// Never above what the link has: that is what its network was made for.
void set_mtu(const Call& call, Host& host, const GrantV4& grant, bool has_ipv6) {
  const auto asked = mtu_of(grant);
  if (!asked) return;
  const net::Link link = net::get_link(host.container_links(), call.key.if_name);
  const auto [mtu, problem] = fitting_mtu(grant, link.mtu, has_ipv6);
  if (!problem.empty()) host.log(LogLevel::warning, problem);
  if (*asked > link.mtu) {
    host.log(LogLevel::warning, fmt::format("the server's MTU of {} is not set: {} has {}", *asked,
                                            link.name, link.mtu));
  }
  if (mtu == link.mtu) return;
  net::Batch batch(host.container_links());
  net::change_link(batch, link, {.mtu = mtu});
  batch.commit();
}

/// Of a lease whose routes a renewal has changed, so that prevResult's aren't there.
void require_routes(const Call& call, Host& host, const Result& leased) {
  const auto present = net::list_routes(host.container_links(), Family::v4, 0);
  for (const Route& route : leased.routes) {
    const bool found = std::any_of(present.begin(), present.end(), [&](const auto& entry) {
      const bool direct = !route.gw || route.gw->is_unspecified();
      return entry.route.dst == route.dst && (direct || entry.route.gw == route.gw);
    });
    if (found) continue;
    throw Error(Code::internal,
                fmt::format("route {}, which the DHCP server has for it by now, is missing in {}",
                            net::describe(route), call.netns),
                "the attachment is broken: DEL and ADD it again");
  }
}

/// A broadcast address of the server's own choice can't be in the result, so the address is put
/// there here; core finds it.
void set_broadcast(const Call& call, Host& host, const GrantV4& grant) {
  if (!broadcast_of(grant)) return;
  net::Batch batch(host.container_links());
  put_address(batch, net::get_link(host.container_links(), call.key.if_name), grant);
  batch.commit();
}

class Dhcp final : public Module {
 public:
  void validate(const Call& call) override {
    if (call.command == Command::del) return;
    require_valid(call.options<DhcpOptions>());
    if (call.command != Command::add) return;
    static_cast<void>(provided(call));
    static_cast<void>(client_id(call));
  }

  Result add(const Call& call, Host& host) override {
    const auto& options = call.options<DhcpOptions>();
    const DaemonPlace place = place_of(call, host);
    host.undo().announce(
        undo_lease(place, lease_file(lease_folder(host.folders()), call.key), call.key));
    const net::Netns* netns = host.container_netns();
    if (netns == nullptr) throw Error(Code::invalid_netns, "ADD needs CNI_NETNS");
    // The daemon's own end comes first, as it knows what it has seen.
    constexpr milliseconds kDaemonMargin{500};
    const Deadline end = within(call, milliseconds(options.timeout * 1000) + kDaemonMargin);
    const auto time = std::chrono::duration_cast<milliseconds>(end - Clock::now()) - kDaemonMargin;
    if (const auto name = unfit_pod_name(call)) {
      host.log(LogLevel::warning,
               fmt::format("K8S_POD_NAME \"{}\" is no host name: none is sent", *name));
    }
    const bool with_ipv6 = enable_ipv6(call, host);
    const Line answer =
        host.daemons().ask(place, acquire_request(call, time, with_ipv6), netns->fd(), end);
    const GrantV4 grant = grant_in(answer);
    const auto six = read_grant_v6(answer);
    // The daemon's word, as renewals go on from there.
    set_mtu(call, host, grant, six || answer.find("v6.mtu") != nullptr);
    set_broadcast(call, host, grant);
    for (const std::string& each : far_gateways(grant)) host.log(LogLevel::warning, each);
    Result result = result_of(grant, options.priority);
    if (six) add_to(result, *six);
    if (with_ipv6 && !six) require_told(answer, options);
    warn(answer, host);
    return result;
  }

  void del(const Call& call, Host& host) override {
    const std::string file = lease_file(lease_folder(host.folders()), call.key);
    if (!is_anything_at(file)) return;
    DaemonPlace place = place_of(call, host);
    // What the lease says counts: the configuration may have changed.
    if (const auto lease = read_lease(file)) place.socket = lease->socket;
    release_lease(host.daemons(), host, place, call.key, file, within(call, kReleaseTime));
  }

  void check(const Call& call, Host& host) override {
    const Line request{"check",
                       {{"network", call.key.network},
                        {"container", call.key.container_id},
                        {"if_name", call.key.if_name}}};
    const Line answer =
        host.daemons().ask(place_of(call, host), request, -1, within(call, kQuestionTime));
    const GrantV4 grant = grant_in(answer);
    // The kernel has taken the address away then, and core could only say that it is missing.
    if (read_grant_v6(answer)) require_ipv6(*host.container_netns(), call.key.if_name);
    if (answer.get("renewed_routes") == "1") require_routes(call, host, result_of(grant, 0));
    warn(answer, host);
  }

  void gc(const Call& call, Host& host) override {
    if (!call.valid_attachments) return;
    const std::string folder = lease_folder(host.folders());
    Errors errors;
    for (const Lease& lease : read_leases(folder)) {
      if (lease.key.network != call.key.network ||
          call.valid_attachments->contains(lease.key.of_network())) {
        continue;
      }
      errors.attempt([&] {
        const std::string file = lease_file(folder, lease.key);
        release_lease(host.daemons(), host,
                      lease_daemon("dhcp", lease.socket, host.executable(), file), lease.key, file,
                      within(call, kReleaseTime));
      });
    }
    errors.finish();
  }

  void status(const Call& call, Host& host) override {
    try {
      host.daemons().ask(place_of(call, host), {"status", {}}, -1, within(call, kQuestionTime));
    } catch (const Error& error) {
      throw Error(Code::not_available, error.msg(), error.details());
    }
  }

  int command(int argc, const char* const* argv) override {
    const std::string_view word = argc == 0 ? "" : argv[0];
    if (word == "daemon") return run_daemon(argc, argv);
    return word == "leases" ? list_leases(argc, argv) : Module::command(argc, argv);
  }
};

}  // namespace

}  // namespace unicni::dhcp

UNICNI_MODULE(dhcp, ipam, unicni::dhcp::Dhcp, .options = &unicni::dhcp::kDhcpOptions,
              .traits = unicni::Trait::needs_link);
