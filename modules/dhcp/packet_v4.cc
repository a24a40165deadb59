#include "packet_v4.h"

#include <algorithm>

namespace unicni::dhcp {

namespace {

// RFC 2131, figure 1.
constexpr std::size_t kChaddr = 28;
constexpr std::size_t kSname = 44;
constexpr std::size_t kFile = 108;
constexpr std::size_t kCookie = 236;
constexpr std::size_t kOptions = 240;
constexpr std::size_t kLeastSize = 300;  // RFC 1542 §2.1
constexpr std::uint32_t kMagic = 0x63825363;
constexpr std::uint16_t kBroadcast = 0x8000;
constexpr std::uint8_t kEthernet = 1;
constexpr std::uint8_t kMacSize = 6;
constexpr std::uint8_t kPad = 0;
constexpr std::uint8_t kEnd = 255;
constexpr std::size_t kMostInOnePart = 255;

void put(Bytes& to, const IpAddress& address) { put32(to, address.to_v4()); }

void put_option(Bytes& to, std::uint8_t code, View value) {
  do {
    const std::size_t part = std::min(value.size(), kMostInOnePart);
    to.push_back(code);
    to.push_back(static_cast<std::uint8_t>(part));
    append(to, value.first(part));
    value = value.subspan(part);
  } while (!value.empty());
}

/// Adds a field's options to what other fields had: parts of one option are put together in the
/// order of the fields (RFC 3396 §7). False: a length leads beyond the field.
bool read_options(View field, Options& into) {
  std::size_t at = 0;
  while (at < field.size()) {
    const std::uint8_t code = field[at++];
    if (code == kPad) continue;
    if (code == kEnd) return true;
    if (at == field.size()) return false;
    const std::size_t size = field[at++];
    if (size > field.size() - at) return false;
    append(into[code], field.subspan(at, size));
    at += size;
  }
  return true;
}

}  // namespace

const char* name_of(MessageType type) {
  constexpr std::array<const char*, 9> kNames{"?",   "DISCOVER", "OFFER",   "REQUEST", "DECLINE",
                                              "ACK", "NAK",      "RELEASE", "INFORM"};
  return kNames.at(static_cast<std::size_t>(type));
}

const Bytes* Packet::find(OptionCode code) const {
  const auto found = options.find(static_cast<std::uint8_t>(code));
  return found == options.end() ? nullptr : &found->second;
}

void Packet::set(OptionCode code, Bytes value) {
  options[static_cast<std::uint8_t>(code)] = std::move(value);
}

std::optional<MessageType> Packet::type() const {
  const Bytes* value = find(OptionCode::message_type);
  if (value == nullptr || value->size() != 1) return std::nullopt;
  const std::uint8_t type = value->front();
  if (type < static_cast<std::uint8_t>(MessageType::discover) ||
      type > static_cast<std::uint8_t>(MessageType::inform)) {
    return std::nullopt;
  }
  return static_cast<MessageType>(type);
}

Bytes encode(const Packet& packet) {
  Bytes bytes;
  bytes.reserve(kLeastSize);
  bytes.push_back(packet.is_reply ? 2 : 1);
  bytes.push_back(kEthernet);
  bytes.push_back(kMacSize);
  bytes.push_back(0);  // hops
  put32(bytes, packet.xid);
  put16(bytes, packet.secs);
  put16(bytes, packet.broadcast ? kBroadcast : 0);
  put(bytes, packet.ciaddr);
  put(bytes, packet.yiaddr);
  put32(bytes, 0);  // siaddr
  put(bytes, packet.giaddr);
  append(bytes, packet.chaddr.bytes());
  bytes.resize(kCookie);
  put32(bytes, kMagic);
  constexpr auto kType = static_cast<std::uint8_t>(OptionCode::message_type);
  const auto type = packet.options.find(kType);
  if (type != packet.options.end()) put_option(bytes, kType, type->second);
  for (const auto& [code, value] : packet.options) {
    if (code != kType) put_option(bytes, code, value);
  }
  bytes.push_back(kEnd);
  if (bytes.size() < kLeastSize) bytes.resize(kLeastSize);
  return bytes;
}

std::optional<Packet> decode(View bytes, std::string& problem) {
  const auto refuse = [&](const char* why) {
    problem = why;
    return std::nullopt;
  };
  if (bytes.size() < kOptions) return refuse("it is too short for DHCP");
  if (bytes[0] != 1 && bytes[0] != 2) return refuse("it is neither request nor reply");
  if (bytes[1] != kEthernet || bytes[2] != kMacSize) return refuse("it is not for Ethernet");
  if (get32(bytes, kCookie) != kMagic) return refuse("it has no DHCP options");
  Packet packet;
  packet.is_reply = bytes[0] == 2;
  packet.xid = get32(bytes, 4);
  packet.secs = get16(bytes, 8);
  packet.broadcast = (get16(bytes, 10) & kBroadcast) != 0;
  packet.ciaddr = IpAddress::v4(get32(bytes, 12));
  packet.yiaddr = IpAddress::v4(get32(bytes, 16));
  packet.giaddr = IpAddress::v4(get32(bytes, 24));
  std::array<std::uint8_t, kMacSize> mac{};
  std::copy_n(bytes.begin() + kChaddr, mac.size(), mac.begin());
  packet.chaddr = Mac(mac);
  constexpr const char* kLies = "an option is longer than the message";
  if (!read_options(bytes.subspan(kOptions), packet.options)) return refuse(kLies);
  // The fields that option 52 gives to options too; one in there can't give more of them.
  constexpr auto kOverload = static_cast<std::uint8_t>(OptionCode::overload);
  const auto overload = packet.options.find(kOverload);
  if (overload != packet.options.end()) {
    if (overload->second.size() != 1) return refuse("option 52 is no number");
    const unsigned fields = overload->second.front();
    packet.options.erase(overload);
    const bool in_file = (fields & 1U) != 0;
    const bool in_sname = (fields & 2U) != 0;
    if (in_file && !read_options(bytes.subspan(kFile, kCookie - kFile), packet.options)) {
      return refuse(kLies);
    }
    if (in_sname && !read_options(bytes.subspan(kSname, kFile - kSname), packet.options)) {
      return refuse(kLies);
    }
    packet.options.erase(kOverload);
  }
  return packet;
}

}  // namespace unicni::dhcp
