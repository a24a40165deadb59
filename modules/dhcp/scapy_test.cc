// Our messages as scapy reads them, and scapy's as we do, field by field.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <random>
#include <sstream>

#include "packet_v4.h"
#include "unicni/sys/process.h"
#include "values_v4.h"

namespace unicni::dhcp::scapy_test {
namespace {

std::string to_hex(View bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    bytes.push_back(byte);
  }
  return bytes;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

/// By our own readers, where there is one.
std::string value_text(std::uint8_t code, const Bytes& value) {
  std::vector<std::string> words;
  switch (static_cast<OptionCode>(code)) {
    case OptionCode::subnet_mask:
    case OptionCode::routers:
    case OptionCode::dns_servers:
    case OptionCode::broadcast:
    case OptionCode::ntp_servers:
    case OptionCode::requested_address:
    case OptionCode::server:
      for (const IpAddress& each : read_addresses(&value)) words.push_back(each.str());
      return joined(words);
    case OptionCode::lease_time:
    case OptionCode::t1:
    case OptionCode::t2:
      return std::to_string(read32(&value).value_or(0));
    case OptionCode::mtu:
    case OptionCode::max_message_size:
      return std::to_string(read16(&value).value_or(0));
    case OptionCode::message_type:
    case OptionCode::parameter_list:
      for (const std::uint8_t byte : value) words.push_back(std::to_string(byte));
      return joined(words);
    case OptionCode::classless_routes:
      for (const ReceivedRoute& each : read_classless_routes(&value)) {
        words.push_back(each.dst.str() + ":" + each.gateway.str());
      }
      return joined(words);
    default:
      return to_hex(value);
  }
}

std::string describe(const Packet& packet) {
  std::string text = fmt::format(
      "op={} xid={} secs={} flags={} ciaddr={} yiaddr={} giaddr={} chaddr={}",
      packet.is_reply ? 2 : 1, packet.xid, packet.secs, packet.broadcast ? 0x8000 : 0,
      packet.ciaddr.str(), packet.yiaddr.str(), packet.giaddr.str(), to_hex(packet.chaddr.bytes()));
  for (const auto& [code, value] : packet.options) {
    text += fmt::format(" {}={}", code, value_text(code, value));
  }
  return text;
}

/// All that this client may send, with values of any length that one part has.
Packet any_packet(std::mt19937& chance) {
  const auto below = [&](unsigned end) { return static_cast<unsigned>(chance() % end); };
  const auto bytes = [&](std::size_t size) {
    Bytes value(size);
    for (std::uint8_t& byte : value) byte = static_cast<std::uint8_t>(chance());
    return value;
  };
  Packet packet;
  packet.is_reply = below(2) == 1;
  packet.xid = static_cast<std::uint32_t>(chance());
  packet.secs = static_cast<std::uint16_t>(chance());
  packet.broadcast = below(2) == 1;
  packet.ciaddr = IpAddress::v4(static_cast<std::uint32_t>(chance()));
  packet.yiaddr = IpAddress::v4(static_cast<std::uint32_t>(chance()));
  packet.giaddr = IpAddress::v4(static_cast<std::uint32_t>(chance()));
  packet.chaddr = Mac::random();
  packet.set(OptionCode::message_type, {static_cast<std::uint8_t>(1 + below(8))});
  for (const OptionCode code : {OptionCode::requested_address, OptionCode::server}) {
    if (below(2) == 1) packet.set(code, bytes(4));
  }
  if (below(2) == 1) packet.set(OptionCode::max_message_size, bytes(2));
  for (const OptionCode code :
       {OptionCode::parameter_list, OptionCode::client_id, OptionCode::vendor_class,
        OptionCode::user_class, OptionCode::host_name}) {
    if (below(2) == 1) packet.set(code, bytes(1 + below(255)));
  }
  return packet;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

constexpr int kMessages = 500;
constexpr unsigned kSeed = 20260;

class Scapy : public testing::Test {
 protected:
  /// Nothing: it isn't installed.
  static std::optional<std::vector<std::string>> ask(const std::string& input,
                                                     std::vector<std::string> arguments) {
    constexpr std::chrono::seconds kTime{60};
    arguments.insert(arguments.begin(), ORACLE);
    const auto result = sys::run_process("/usr/bin/python3", {"PATH=/usr/bin:/bin"}, input,
                                         std::chrono::steady_clock::now() + kTime, arguments);
    constexpr int kAbsent = 77;
    if (result.exit_status == kAbsent) return std::nullopt;
    EXPECT_EQ(result.exit_status, 0) << result.err_tail;
    return lines_of(result.out);
  }
};

TEST_F(Scapy, ReadsWhatWeWrite) {
  std::mt19937 chance(kSeed);
  std::vector<std::string> expected;
  std::string input;
  for (int i = 0; i < kMessages; ++i) {
    const Packet packet = any_packet(chance);
    expected.push_back(describe(packet));
    input += to_hex(encode(packet)) + '\n';
  }
  const auto lines = ask(input, {"parse"});
  if (!lines) GTEST_SKIP() << "no python3-scapy: sudo tools/setup --full";
  ASSERT_EQ(lines->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ((*lines)[i], expected[i]);
}

TEST_F(Scapy, WritesWhatWeRead) {
  const auto lines = ask("", {"build", std::to_string(kSeed), std::to_string(kMessages)});
  if (!lines) GTEST_SKIP() << "no python3-scapy: sudo tools/setup --full";
  ASSERT_EQ(lines->size(), static_cast<std::size_t>(kMessages));
  for (const std::string& line : *lines) {
    const std::size_t blank = line.find(' ');
    std::string problem;
    const auto packet = decode(from_hex(std::string_view(line).substr(0, blank)), problem);
    ASSERT_TRUE(packet) << problem << ": " << line;
    ASSERT_EQ(describe(*packet), line.substr(blank + 1));
  }
}

}  // namespace
}  // namespace unicni::dhcp::scapy_test
