#include "packet_v6.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace unicni::dhcp {

namespace {

constexpr std::size_t kHead = 4;  // type and transaction
constexpr std::size_t kOptionHead = 4;
constexpr std::size_t kAssociationHead = 12;
constexpr std::size_t kAddressHead = 24;
constexpr std::size_t kAddressSize = 16;
constexpr std::size_t kLongestDuid = 130;  // RFC 8415 §11.1: 128 and the type
constexpr std::size_t kShortestDuid = 3;
constexpr std::size_t kLongestText = 200;

enum Code : std::uint16_t {
  kClient = 1,
  kServer = 2,
  kAssociation = 3,
  kAddress = 5,
  kRequested = 6,
  kPreference = 7,
  kElapsed = 8,
  kStatus = 13,
  kRapidCommit = 14,
};

IpAddress address_at(View bytes, std::size_t at) {
  std::array<std::uint8_t, kAddressSize> address{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), address.size(), address.begin());
  return IpAddress::v6(address);
}

void put_option(Bytes& to, std::uint16_t code, View value) {
  put16(to, code);
  put16(to, static_cast<std::uint32_t>(value.size()));
  append(to, value);
}

void put_status(Bytes& to, const std::optional<StatusV6>& status) {
  if (!status) return;
  Bytes value;
  put16(value, status->code);
  value.insert(value.end(), status->text.begin(), status->text.end());
  put_option(to, kStatus, value);
}

void put_association(Bytes& to, const AssociationV6& association) {
  Bytes value;
  put32(value, association.id);
  put32(value, association.t1);
  put32(value, association.t2);
  for (const AddressV6& each : association.addresses) {
    Bytes inner(each.address.data(), each.address.data() + kAddressSize);
    put32(inner, each.preferred);
    put32(inner, each.valid);
    put_status(inner, each.status);
    put_option(value, kAddress, inner);
  }
  put_status(value, association.status);
  put_option(to, kAssociation, value);
}

/// `take(code, value)` for each; false: a length leads beyond the field, or `take` refused a value.
template <class Take>
bool for_each_option(View field, const Take& take) {
  std::size_t at = 0;
  while (at < field.size()) {
    if (field.size() - at < kOptionHead) return false;
    const std::uint16_t code = get16(field, at);
    const std::size_t size = get16(field, at + 2);
    at += kOptionHead;
    if (size > field.size() - at || !take(code, field.subspan(at, size))) return false;
    at += size;
  }
  return true;
}

bool read_status(View value, std::optional<StatusV6>& into) {
  if (value.size() < 2) return false;
  if (!into) into = {get16(value, 0), std::string(value.begin() + 2, value.end())};
  return true;
}

bool read_address(View value, AssociationV6& into) {
  if (value.size() < kAddressHead) return false;
  AddressV6 read{address_at(value, 0), get32(value, kAddressSize), get32(value, kAddressSize + 4)};
  const bool whole =
      for_each_option(value.subspan(kAddressHead), [&](std::uint16_t code, View inner) {
        return code != kStatus || read_status(inner, read.status);
      });
  // A mapped one would be IPv4's, and is none that a server gives.
  if (!read.address.is_v4()) into.addresses.push_back(std::move(read));
  return whole;
}

bool read_association(View value, std::vector<AssociationV6>& into) {
  if (value.size() < kAssociationHead) return false;
  AssociationV6 read{get32(value, 0), get32(value, 4), get32(value, 8)};
  const bool whole =
      for_each_option(value.subspan(kAssociationHead), [&](std::uint16_t code, View inner) {
        if (code == kAddress) return read_address(inner, read);
        return code != kStatus || read_status(inner, read.status);
      });
  into.push_back(std::move(read));
  return whole;
}

bool read_duid(View value, Bytes& into) {
  if (value.size() < kShortestDuid || value.size() > kLongestDuid) return false;
  if (into.empty()) into.assign(value.begin(), value.end());
  return true;
}

bool read_requested(View value, std::vector<std::uint16_t>& into) {
  if (value.size() % 2 != 0) return false;
  if (!into.empty()) return true;
  for (std::size_t at = 0; at < value.size(); at += 2) into.push_back(get16(value, at));
  return true;
}

bool read_option(std::uint16_t code, View value, PacketV6& into) {
  switch (code) {
    case kClient:
      return read_duid(value, into.client);
    case kServer:
      return read_duid(value, into.server);
    case kAssociation:
      return read_association(value, into.associations);
    case kRequested:
      return read_requested(value, into.requested);
    case kPreference:
      if (value.size() != 1) return false;
      if (!into.preference) into.preference = value[0];
      return true;
    case kElapsed:
      if (value.size() != 2) return false;
      if (!into.elapsed) into.elapsed = get16(value, 0);
      return true;
    case kStatus:
      return read_status(value, into.status);
    case kRapidCommit:
      into.rapid_commit = true;
      return value.empty();
    default:
      into.options.try_emplace(code, value.begin(), value.end());
      return true;
  }
}

}  // namespace

const char* name_of(MessageTypeV6 type) {
  constexpr std::array<const char*, 12> kNames{
      "?",      "SOLICIT", "ADVERTISE", "REQUEST", "CONFIRM",     "RENEW",
      "REBIND", "REPLY",   "RELEASE",   "DECLINE", "RECONFIGURE", "INFORMATION-REQUEST"};
  return kNames.at(static_cast<std::size_t>(type));
}

std::string describe(const StatusV6& status) {
  constexpr std::array<std::string_view, 7> kNames{"Success",      "UnspecFail", "NoAddrsAvail",
                                                   "NoBinding",    "NotOnLink",  "UseMulticast",
                                                   "NoPrefixAvail"};
  std::string text = status.code < kNames.size() ? std::string(kNames.at(status.code))
                                                 : "status " + std::to_string(status.code);
  const bool printable =
      !status.text.empty() && std::all_of(status.text.begin(), status.text.end(),
                                          [](char c) { return c >= ' ' && c <= '~'; });
  if (printable) text += ": " + status.text.substr(0, kLongestText);
  return text;
}

const Bytes* PacketV6::find(OptionCodeV6 code) const {
  const auto found = options.find(static_cast<std::uint16_t>(code));
  return found == options.end() ? nullptr : &found->second;
}

Bytes encode(const PacketV6& packet) {
  Bytes bytes;
  put32(bytes, static_cast<std::uint32_t>(packet.type) << 24U | (packet.xid & 0xffffffU));
  if (!packet.client.empty()) put_option(bytes, kClient, packet.client);
  if (!packet.server.empty()) put_option(bytes, kServer, packet.server);
  for (const AssociationV6& each : packet.associations) put_association(bytes, each);
  if (!packet.requested.empty()) {
    Bytes codes;
    for (const std::uint16_t code : packet.requested) put16(codes, code);
    put_option(bytes, kRequested, codes);
  }
  if (packet.preference) put_option(bytes, kPreference, Bytes{*packet.preference});
  if (packet.elapsed) {
    Bytes time;
    put16(time, *packet.elapsed);
    put_option(bytes, kElapsed, time);
  }
  put_status(bytes, packet.status);
  if (packet.rapid_commit) put_option(bytes, kRapidCommit, {});
  for (const auto& [code, value] : packet.options) put_option(bytes, code, value);
  return bytes;
}

std::optional<PacketV6> decode_v6(View bytes, std::string& problem) {
  const auto refuse = [&](const char* why) {
    problem = why;
    return std::nullopt;
  };
  if (bytes.size() < kHead) return refuse("it is too short for DHCPv6");
  constexpr auto kFirst = static_cast<std::uint8_t>(MessageTypeV6::solicit);
  constexpr auto kLast = static_cast<std::uint8_t>(MessageTypeV6::information_request);
  if (bytes[0] < kFirst || bytes[0] > kLast) return refuse("it is no message of client or server");
  PacketV6 packet;
  packet.type = static_cast<MessageTypeV6>(bytes[0]);
  packet.xid = get32(bytes, 0) & 0xffffffU;
  const bool whole = for_each_option(bytes.subspan(kHead), [&](std::uint16_t code, View value) {
    return read_option(code, value, packet);
  });
  if (!whole) return refuse("an option has a wrong length");
  return packet;
}

}  // namespace unicni::dhcp
