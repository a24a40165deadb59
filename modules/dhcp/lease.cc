#include "lease.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "line_fields.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "unicni/undo/lease.h"
#include "values_v4.h"

namespace unicni::dhcp {

namespace {

constexpr std::string_view kWord = "lease";
constexpr const char* kReceived = "option.";
constexpr const char* kProvided = "provide.";

Route route_of(const ReceivedRoute& received, std::uint32_t priority) {
  Route route;
  route.dst = received.dst;
  route.gw = received.gateway;
  constexpr std::uint32_t kScopeLink = 253;  // RT_SCOPE_LINK
  if (received.gateway.is_unspecified()) route.scope = kScopeLink;
  route.priority = priority;
  return route;
}

const Bytes* find_option(const Options& options, OptionCode code) {
  const auto found = options.find(static_cast<std::uint8_t>(code));
  return found == options.end() ? nullptr : &found->second;
}

std::optional<IpAddress> router_of(const Options& options) {
  const auto router = read_address(find_option(options, OptionCode::routers));
  return router && !router->is_unspecified() ? router : std::nullopt;
}

/// Option 121 replaces the others (RFC 3442, "DHCP Client Behavior"); 249 is what Microsoft's
/// servers have for it.
std::vector<ReceivedRoute> routes_of(const Options& options) {
  const auto find = [&](OptionCode code) { return find_option(options, code); };
  for (const OptionCode code : {OptionCode::classless_routes, OptionCode::ms_classless_routes}) {
    auto routes = read_classless_routes(find(code));
    if (!routes.empty()) return routes;
  }
  std::vector<ReceivedRoute> routes = read_static_routes(find(OptionCode::static_routes));
  if (const auto router = router_of(options)) routes.push_back({IpNet(IpAddress(), 0), *router});
  return routes;
}

/// The kernel takes a gateway only behind the route that makes it a neighbour; servers list them in
/// any order.
std::vector<ReceivedRoute> routes_in_order(const Options& options) {
  std::vector<ReceivedRoute> routes = routes_of(options);
  std::stable_partition(routes.begin(), routes.end(),
                        [](const ReceivedRoute& each) { return each.gateway.is_unspecified(); });
  return routes;
}

}  // namespace

void add_grant(const GrantV4& grant, Line& line) {
  auto& fields = line.fields;
  fields.emplace_back("address", grant.address.str());
  fields.emplace_back("server", grant.server.str());
  fields.emplace_back("relay", grant.relay.str());
  fields.emplace_back("next_hop", grant.next_hop.str());
  fields.emplace_back("since", text_of(grant.since));
  fields.emplace_back("t1", text_of(grant.t1));
  fields.emplace_back("t2", text_of(grant.t2));
  fields.emplace_back("expires", text_of(grant.expires));
  add_options(grant.options, kReceived, line);
}

std::optional<GrantV4> read_grant(const Line& line) {
  GrantV4 grant;
  const auto address = IpNet::parse(line.get("address"));
  const auto server = IpAddress::parse(line.get("server"));
  const auto relay = IpAddress::parse(line.get("relay"));
  const auto next_hop = Mac::parse(line.get("next_hop"));
  const auto since = instant_of(line.get("since"));
  const auto t1 = instant_of(line.get("t1"));
  const auto t2 = instant_of(line.get("t2"));
  const auto expires = instant_of(line.get("expires"));
  if (!address || !server || !relay || !next_hop || !since || !t1 || !t2 || !expires ||
      !read_options(line, kReceived, grant.options)) {
    return std::nullopt;
  }
  grant.address = *address;
  grant.server = *server;
  grant.relay = *relay;
  grant.next_hop = *next_hop;
  grant.since = *since;
  grant.t1 = *t1;
  grant.t2 = *t2;
  grant.expires = *expires;
  return grant;
}

void add_identity(const Identity& identity, Line& line) {
  line.fields.emplace_back("mac", identity.mac.str());
  line.fields.emplace_back("client_id", to_hex(identity.client_id));
  line.fields.emplace_back("request", to_hex(identity.request));
  line.fields.emplace_back("broadcast", identity.broadcast ? "1" : "0");
  add_options(identity.provide, kProvided, line);
}

std::optional<Identity> read_identity(const Line& line) {
  Identity identity;
  const auto mac = Mac::parse(line.get("mac"));
  auto client = from_hex(line.get("client_id"));
  auto request = from_hex(line.get("request"));
  if (!mac || !client || !request || !read_options(line, kProvided, identity.provide)) {
    return std::nullopt;
  }
  identity.mac = *mac;
  identity.client_id = *std::move(client);
  identity.request = *std::move(request);
  identity.broadcast = line.get("broadcast") == "1";
  return identity;
}

namespace {

std::string renewed_words(const Lease& lease) {
  std::string words = lease.renewed_routes ? "routes" : "";
  if (lease.renewed_mtu) words += words.empty() ? "mtu" : ",mtu";
  return words;
}

}  // namespace

std::string print_lease(const Lease& lease) {
  Line line{std::string(kWord),
            {{"version", "1"},
             {"network", lease.key.network},
             {"container", lease.key.container_id},
             {"if_name", lease.key.if_name},
             {"socket", lease.socket},
             {"netns_path", lease.place.netns_path},
             {"netns", lease.place.netns},
             {"view", lease.place.view},
             {"kind", lease.place.kind},
             {"index", std::to_string(lease.place.index)},
             {"probe", std::to_string(lease.probe.count())},
             {"priority", std::to_string(lease.priority)},
             {"link_mtu", std::to_string(lease.link_mtu)},
             {"mtu", std::to_string(lease.mtu)},
             {"renewed", renewed_words(lease)},
             {"applying", lease.applying ? "1" : "0"},
             {"replaced", lease.replaced ? lease.replaced->str() : ""},
             {"boot", lease.boot}}};
  add_identity(lease.identity, line);
  if (lease.grant) add_grant(*lease.grant, line);
  if (lease.v6) add_lease_v6(*lease.v6, line);
  line.fields.emplace_back("farewell", std::string(lease.farewell.begin(), lease.farewell.end()));
  return print_line(line);
}

std::optional<Lease> parse_lease(std::string_view text) {
  const auto line = parse_line(text.substr(0, text.find('\n')));
  if (!line || line->word != kWord || line->get("version") != "1") return std::nullopt;
  Lease lease;
  auto identity = read_identity(*line);
  const auto index = number_of<int>(line->get("index"));
  const auto probe = number_of<std::int64_t>(line->get("probe"));
  const auto priority = number_of<std::uint32_t>(line->get("priority"));
  if (!identity || !index || !probe || !priority) return std::nullopt;
  lease.key = {line->get("network"), line->get("container"), line->get("if_name")};
  lease.socket = line->get("socket");
  lease.place = {line->get("netns_path"), line->get("netns"), lease.key.if_name, *index,
                 line->get("view"),       line->get("kind")};
  lease.identity = *std::move(identity);
  lease.probe = Span(*probe);
  lease.priority = *priority;
  // A version before 0.2 had none of the next five.
  lease.link_mtu = number_of<std::uint32_t>(line->get("link_mtu")).value_or(0);
  lease.mtu = number_of<std::uint32_t>(line->get("mtu")).value_or(0);
  const std::string renewed = line->get("renewed");
  lease.renewed_routes = renewed.starts_with("routes");
  lease.renewed_mtu = renewed.ends_with("mtu");
  lease.applying = line->get("applying") == "1";
  lease.replaced = IpNet::parse(line->get("replaced"));
  lease.boot = line->get("boot");
  if (line->find("address") != nullptr) {
    lease.grant = read_grant(*line);
    if (!lease.grant) return std::nullopt;
  }
  if (!read_lease_v6(*line, lease.v6)) return std::nullopt;
  const std::string farewell = line->get("farewell");
  lease.farewell.assign(farewell.begin(), farewell.end());
  return lease;
}

namespace {

/// What a file says, of whatever boot. nullopt: there is none, or it is damaged.
std::optional<Lease> read_any(const std::string& file) {
  try {
    const auto text = sys::read_file(file);
    return text ? parse_lease(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // a folder, say
  }
}

bool is_of_now(const std::optional<Lease>& lease) { return lease && lease->boot == sys::boot_id(); }

/// A copy would be a second lease of the same address.
bool is_file_of(const std::string& file, const Lease& lease) {
  return file == lease_file(file.substr(0, file.rfind('/')), lease.key);
}

}  // namespace

std::optional<Lease> read_lease(const std::string& file) {
  auto lease = read_any(file);
  return is_of_now(lease) && is_file_of(file, *lease) ? std::move(lease) : std::nullopt;
}

bool is_anything_at(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 || errno != ENOENT;
}

bool is_damaged_lease(const std::string& file) {
  const auto lease = read_any(file);
  return is_anything_at(file) && !(lease && is_file_of(file, *lease));
}

std::vector<Lease> read_leases(const std::string& folder, std::vector<std::string>* problems) {
  std::vector<Lease> leases;
  const auto tell = [&](const std::string& text) {
    if (problems != nullptr) problems->push_back(text);
  };
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0 ? !S_ISDIR(status.st_mode) : is_anything_at(folder)) {
    tell(
        fmt::format("{} is no folder: the leases that were there are lost, and no other can be "
                    "written; remove it",
                    folder));
    return leases;
  }
  for (const std::string& name : sys::list_folder(folder)) {
    if (name.starts_with('.')) continue;  // a temporary file, whose writer was killed
    const std::string file = folder + '/' + name;
    auto lease = read_any(file);
    if (!lease) {
      if (!is_anything_at(file)) continue;  // gone meanwhile
      tell(
          fmt::format("{} is damaged: its lease is lost, and its address can't be renewed or "
                      "released; DEL and ADD its attachment again",
                      file));
    } else if (!is_file_of(file, *lease)) {
      tell(
          fmt::format("{} is damaged: it has the lease of {}, whose file has another name; remove "
                      "it",
                      file, lease->key.owner()));
    } else if (is_of_now(lease)) {
      leases.push_back(*std::move(lease));
    }
  }
  return leases;
}

bool is_same_file(const std::string& one, const std::string& other) {
  if (one == other) return true;
  struct stat first {};
  struct stat second {};
  return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool is_same_socket(const std::string& one, const std::string& other) {
  const std::size_t end = one.rfind('/') + 1;
  const std::size_t other_end = other.rfind('/') + 1;
  return one.substr(end) == other.substr(other_end) &&
         is_same_file(one.substr(0, end), other.substr(0, other_end));
}

Result result_of(const GrantV4& grant, std::uint32_t priority) {
  const auto find = [&](OptionCode code) { return find_option(grant.options, code); };
  Result result;
  IpConfig ip;
  ip.address = grant.address;
  ip.gateway = router_of(grant.options);
  result.ips.push_back(std::move(ip));
  for (const ReceivedRoute& route : routes_in_order(grant.options)) {
    result.routes.push_back(route_of(route, priority));
  }
  for (const IpAddress& server : read_addresses(find(OptionCode::dns_servers))) {
    if (is_name_server(server)) add_missing(result.dns.nameservers, server.str());
  }
  const auto domain = read_text(find(OptionCode::domain_name));
  if (domain && is_domain_name(*domain)) result.dns.domain = *domain;
  result.dns.search = read_domain_search(find(OptionCode::domain_search));
  return result;
}

std::optional<std::uint32_t> mtu_of(const GrantV4& grant) {
  constexpr std::uint32_t kLeast = 68;  // RFC 2132 §5.1
  const auto mtu = read16(find_option(grant.options, OptionCode::mtu));
  return mtu && *mtu >= kLeast ? std::optional<std::uint32_t>(*mtu) : std::nullopt;
}

}  // namespace unicni::dhcp
