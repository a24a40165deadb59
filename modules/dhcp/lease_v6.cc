#include "lease_v6.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "line_fields.h"
#include "unicni/sha512.h"
#include "values_v4.h"

namespace unicni::dhcp {

namespace {

constexpr const char* kOption = "v6.option.";
constexpr std::size_t kAddressSize = 16;
constexpr int kHostPrefix = 128;

/// RFC 3646 §3. A value that breaks off gives none at all.
std::vector<IpAddress> read_addresses_v6(const Bytes& value) {
  std::vector<IpAddress> addresses;
  if (value.size() % kAddressSize != 0) return addresses;
  for (std::size_t at = 0; at < value.size(); at += kAddressSize) {
    std::array<std::uint8_t, kAddressSize> bytes{};
    std::copy_n(value.begin() + static_cast<std::ptrdiff_t>(at), kAddressSize, bytes.begin());
    addresses.push_back(IpAddress::v6(bytes));
  }
  return addresses;
}

}  // namespace

IdentityV6 identity_v6(const Bytes& client, const AttachmentKey& key) {
  constexpr std::uint8_t kUuid = 4;  // the DUID's type
  constexpr std::size_t kSize = 16;
  IdentityV6 identity;
  const std::string hash = sha512_hex(std::string(client.begin(), client.end()));
  Bytes uuid = from_hex(hash.substr(0, 2 * kSize)).value_or(Bytes(kSize));
  // RFC 9562 §5.8.
  uuid[6] = static_cast<std::uint8_t>(0x80U | (uuid[6] & 0x0fU));
  uuid[8] = static_cast<std::uint8_t>(0x80U | (uuid[8] & 0x3fU));
  identity.duid = {0, kUuid};
  append(identity.duid, uuid);
  const std::string place = sha512_hex(key.network + '/' + key.if_name);
  identity.iaid = get32(from_hex(place.substr(0, 8)).value_or(Bytes(4)), 0);
  return identity;
}

void add_grant_v6(const GrantV6& grant, Line& line) {
  auto& fields = line.fields;
  fields.emplace_back("v6.address", net_of(grant).str());
  fields.emplace_back("v6.server", to_hex(grant.server));
  fields.emplace_back("v6.since", text_of(grant.since));
  fields.emplace_back("v6.t1", text_of(grant.t1));
  fields.emplace_back("v6.t2", text_of(grant.t2));
  fields.emplace_back("v6.preferred", text_of(grant.preferred));
  fields.emplace_back("v6.expires", text_of(grant.expires));
  add_options(grant.options, kOption, line);
}

std::optional<GrantV6> read_grant_v6(const Line& line) {
  GrantV6 grant;
  const auto address = IpNet::parse(line.get("v6.address"));
  auto server = from_hex(line.get("v6.server"));
  const auto since = instant_of(line.get("v6.since"));
  const auto t1 = instant_of(line.get("v6.t1"));
  const auto t2 = instant_of(line.get("v6.t2"));
  const auto expires = instant_of(line.get("v6.expires"));
  const std::string* own = line.find("v6.preferred");
  const auto preferred = own == nullptr ? expires : instant_of(*own);  // an earlier version's
  if (!address || address->is_v4() || address->prefix_length() != kHostPrefix || !server ||
      server->empty() || !since || !t1 || !t2 || !expires || !preferred ||
      !read_options(line, kOption, grant.options)) {
    return std::nullopt;
  }
  grant.address = address->address();
  grant.server = *std::move(server);
  grant.since = *since;
  grant.t1 = *t1;
  grant.t2 = *t2;
  grant.preferred = *preferred;
  grant.expires = *expires;
  return grant;
}

void add_lease_v6(const LeaseV6& lease, Line& line) {
  line.fields.emplace_back("v6.need", lease.need == NeedV6::required ? "required" : "on");
  line.fields.emplace_back("v6.duid", to_hex(lease.identity.duid));
  line.fields.emplace_back("v6.iaid", std::to_string(lease.identity.iaid));
  if (lease.was_given) line.fields.emplace_back("v6.given", "1");
  if (lease.grant) add_grant_v6(*lease.grant, line);
  if (!lease.farewell.empty()) {
    line.fields.emplace_back("v6.farewell",
                             std::string(lease.farewell.begin(), lease.farewell.end()));
  }
}

bool read_lease_v6(const Line& line, std::optional<LeaseV6>& into) {
  const std::string* need = line.find("v6.need");
  if (need == nullptr) return true;
  LeaseV6 lease;
  auto duid = from_hex(line.get("v6.duid"));
  const auto iaid = number_of<std::uint32_t>(line.get("v6.iaid"));
  if ((*need != "on" && *need != "required") || !duid || duid->empty() || !iaid) return false;
  lease.need = *need == "required" ? NeedV6::required : NeedV6::wanted;
  lease.identity = {*std::move(duid), *iaid};
  lease.was_given = line.get("v6.given") == "1";
  if (line.find("v6.address") != nullptr) {
    lease.grant = read_grant_v6(line);
    if (!lease.grant) return false;
  }
  const std::string farewell = line.get("v6.farewell");
  lease.farewell.assign(farewell.begin(), farewell.end());
  into = std::move(lease);
  return true;
}

IpNet net_of(const GrantV6& grant) { return {grant.address, kHostPrefix}; }

void add_to(Result& result, const GrantV6& grant) {
  IpConfig ip;
  ip.address = net_of(grant);
  result.ips.push_back(std::move(ip));
  const auto find = [&](OptionCodeV6 code) -> const Bytes* {
    const auto found = grant.options.find(static_cast<std::uint16_t>(code));
    return found == grant.options.end() ? nullptr : &found->second;
  };
  if (const Bytes* servers = find(OptionCodeV6::dns_servers)) {
    for (const IpAddress& each : read_addresses_v6(*servers)) {
      if (!each.is_v4() && is_name_server(each)) add_missing(result.dns.nameservers, each.str());
    }
  }
  for (const std::string& name : read_domain_search(find(OptionCodeV6::domain_search))) {
    add_missing(result.dns.search, name);
  }
}

}  // namespace unicni::dhcp
