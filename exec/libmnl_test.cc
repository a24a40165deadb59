// Ours against the shared library, call by call.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace unicni::exec::libmnl_test {
namespace {

/// A function of the library, beside ours of the same name, which this program doesn't export: the
/// library's own calls stay in it.
template <class Function>
Function* of_library(const char* name, Function* ours) {
  static void* const library = ::dlopen("libmnl.so.0", RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << ::dlerror();
  auto* found = reinterpret_cast<Function*>(library == nullptr ? nullptr : ::dlsym(library, name));
  EXPECT_NE(found, nullptr) << name;
  EXPECT_NE(found, ours) << name;
  EXPECT_EQ(::dlsym(RTLD_DEFAULT, name), nullptr) << name;
  return found;
}
#define LIBRARY(name) of_library(#name, &(name))

/// Room for a message, aligned as messages are. Of zeros, as the library leaves padding as it was.
struct Buffer {
  alignas(8) std::array<char, 1024> bytes{};
  nlmsghdr* message() { return reinterpret_cast<nlmsghdr*>(bytes.data()); }
};

constexpr std::array kLengths = {0U, 1U, 2U, 3U, 4U, 5U, 8U, 9U, 255U};

template <class Put>
void expect_equal(const Put& ours, const Put& library, const char* name) {
  Buffer first;
  Buffer second;
  for (Buffer* each : {&first, &second}) {
    *each->message() = nlmsghdr{sizeof(nlmsghdr), 1, 2, 3, 4};
    (each == &first ? ours : library)(each->message());
  }
  EXPECT_TRUE(first.bytes == second.bytes) << name;
  EXPECT_NE(first.message()->nlmsg_len, sizeof(nlmsghdr)) << name << " wrote nothing";
}

#define EXPECT_SAME_MESSAGE(name, ...)                                                     \
  expect_equal<std::function<void(nlmsghdr*)>>([&](nlmsghdr* m) { name(m, __VA_ARGS__); }, \
                                               [&](nlmsghdr* m) {                          \
                                                 LIBRARY(name)                             \
                                                 (m, __VA_ARGS__);                         \
                                               },                                          \
                                               #name)

TEST(Libmnl, WritesWhatTheLibraryWrites) {
  const std::string content(255, 'x');
  for (const std::uint16_t type : std::to_array<std::uint16_t>({0, 7, 0x7fff})) {
    for (const std::size_t length : kLengths) {
      EXPECT_SAME_MESSAGE(mnl_attr_put, type, length, content.data());
      EXPECT_SAME_MESSAGE(mnl_attr_put_str, type, content.substr(0, length).c_str());
      EXPECT_SAME_MESSAGE(mnl_attr_put_strz, type, content.substr(0, length).c_str());
    }
    EXPECT_SAME_MESSAGE(mnl_attr_put_u8, type, std::uint8_t{0xa5});
    EXPECT_SAME_MESSAGE(mnl_attr_put_u16, type, std::uint16_t{0xa55a});
    EXPECT_SAME_MESSAGE(mnl_attr_put_u32, type, 0xa55a1234U);
    EXPECT_SAME_MESSAGE(mnl_attr_put_u64, type, std::uint64_t{0xa55a123400ff00ffU});
  }
}

/// Else the kernel would be told what the heap held before.
TEST(Libmnl, PadsWithZeros) {
  Buffer buffer;
  buffer.bytes.fill('\x5a');
  *buffer.message() = nlmsghdr{sizeof(nlmsghdr), 1, 2, 3, 4};
  mnl_attr_put_u8(buffer.message(), 1, 0xa5);
  const char* payload = buffer.bytes.data() + sizeof(nlmsghdr) + MNL_ATTR_HDRLEN;
  EXPECT_EQ(std::string(payload, 5), std::string("\xa5\0\0\0\x5a", 5));
}

TEST(Libmnl, NestsAsTheLibraryNests) {
  const auto nest = [](auto start, auto end, auto put) {
    return std::function<void(nlmsghdr*)>([=](nlmsghdr* message) {
      put(message, std::uint16_t{1}, std::uint8_t{1});
      nlattr* outer = start(message, 2);
      put(message, std::uint16_t{3}, std::uint8_t{1});
      nlattr* inner = start(message, 4);
      end(message, inner);
      end(message, outer);
    });
  };
  expect_equal(
      nest(&mnl_attr_nest_start, &mnl_attr_nest_end, &mnl_attr_put_u8),
      nest(LIBRARY(mnl_attr_nest_start), LIBRARY(mnl_attr_nest_end), LIBRARY(mnl_attr_put_u8)),
      "nested attributes");
}

/// Any bytes as an attribute whose length is within the buffer, as the kernel promises.
std::vector<Buffer> attributes() {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same ones each time
  std::vector<Buffer> made;
  for (const std::size_t length : kLengths) {
    for (int i = 0; i < 8; ++i) {
      Buffer& buffer = made.emplace_back();
      for (char& byte : buffer.bytes) byte = static_cast<char>(random() % 3 == 0 ? 0 : random());
      auto* attribute = reinterpret_cast<nlattr*>(buffer.bytes.data());
      attribute->nla_len = static_cast<std::uint16_t>(MNL_ATTR_HDRLEN + length);
    }
  }
  return made;
}

template <class Result>
std::pair<Result, int> with_errno(Result result) {
  return {result, errno};
}

TEST(Libmnl, ReadsWhatTheLibraryReads) {
  for (const Buffer& buffer : attributes()) {
    const auto* a = reinterpret_cast<const nlattr*>(buffer.bytes.data());
    EXPECT_EQ(mnl_attr_get_type(a), LIBRARY(mnl_attr_get_type)(a));
    EXPECT_EQ(mnl_attr_get_payload_len(a), LIBRARY(mnl_attr_get_payload_len)(a));
    EXPECT_EQ(mnl_attr_get_payload(a), LIBRARY(mnl_attr_get_payload)(a));
    EXPECT_EQ(mnl_attr_get_str(a), LIBRARY(mnl_attr_get_str)(a));
    EXPECT_EQ(mnl_attr_get_u8(a), LIBRARY(mnl_attr_get_u8)(a));
    EXPECT_EQ(mnl_attr_get_u16(a), LIBRARY(mnl_attr_get_u16)(a));
    EXPECT_EQ(mnl_attr_get_u32(a), LIBRARY(mnl_attr_get_u32)(a));
    EXPECT_EQ(mnl_attr_get_u64(a), LIBRARY(mnl_attr_get_u64)(a));
    EXPECT_EQ(mnl_attr_next(a), LIBRARY(mnl_attr_next)(a));
    for (const int room : {-1, 0, 3, 4, 5, 8, 300}) {
      EXPECT_EQ(mnl_attr_ok(a, room), LIBRARY(mnl_attr_ok)(a, room)) << room;
    }
    for (const std::uint16_t most : std::to_array<std::uint16_t>({0, 7, 0x3ffe, 0x3fff})) {
      EXPECT_EQ(mnl_attr_type_valid(a, most), LIBRARY(mnl_attr_type_valid)(a, most)) << most;
    }
  }
  Buffer buffer;
  EXPECT_EQ(mnl_nlmsg_get_payload(buffer.message()),
            LIBRARY(mnl_nlmsg_get_payload)(buffer.message()));
}

TEST(Libmnl, RefusesWhatTheLibraryRefuses) {
  std::size_t refused = 0;
  for (const Buffer& buffer : attributes()) {
    const auto* a = reinterpret_cast<const nlattr*>(buffer.bytes.data());
    for (int type = 0; type <= MNL_TYPE_MAX; ++type) {
      const auto asked = static_cast<mnl_attr_data_type>(type);
      errno = 0;
      const auto ours = with_errno(mnl_attr_validate(a, asked));
      errno = 0;
      EXPECT_EQ(ours, with_errno(LIBRARY(mnl_attr_validate)(a, asked)))
          << "type " << type << ", length " << a->nla_len;
      refused += ours.first < 0 ? 1 : 0;
    }
  }
  EXPECT_GT(refused, 0U);
}

/// Which attributes a walk comes to, and how it ends: at a torn one, or when a callback says so.
using Walk = std::pair<int, std::vector<std::uint16_t>>;
struct Visit {
  std::vector<std::uint16_t> types;
  int ends_at;
  int with;
};
int visit(const nlattr* attribute, void* data) {
  auto& visit = *static_cast<Visit*>(data);
  visit.types.push_back(mnl_attr_get_type(attribute));
  return visit.types.back() == visit.ends_at ? visit.with : MNL_CB_OK;
}

TEST(Libmnl, WalksAsTheLibraryWalks) {
  Buffer buffer;
  nlmsghdr* message = buffer.message();
  message->nlmsg_len = sizeof(nlmsghdr) + 4;  // a family's header
  for (std::uint16_t type = 1; type <= 4; ++type) mnl_attr_put_u16(message, type, type);
  const std::uint32_t whole = message->nlmsg_len;
  const auto* nest = reinterpret_cast<const nlattr*>(buffer.bytes.data() + sizeof(nlmsghdr));
  for (const std::uint32_t cut : {0U, 1U, 3U, 4U, 7U, 8U, 24U}) {
    message->nlmsg_len = whole - cut;
    // The family's header taken for an attribute that holds the rest.
    const_cast<nlattr*>(nest)->nla_len =
        static_cast<std::uint16_t>(message->nlmsg_len - sizeof(nlmsghdr));
    for (const auto& [ends_at, with] : {std::pair{0, 0}, {2, MNL_CB_STOP}, {3, MNL_CB_ERROR}}) {
      const auto walk = [&, ends_at = ends_at, with = with](auto&& parse) {
        Visit seen{{}, ends_at, with};
        const int result = parse(&seen);
        return Walk{result, seen.types};
      };
      EXPECT_EQ(walk([&](Visit* to) { return mnl_attr_parse(message, 4, visit, to); }),
                walk([&](Visit* to) { return LIBRARY(mnl_attr_parse)(message, 4, visit, to); }))
          << cut;
      EXPECT_EQ(walk([&](Visit* to) { return mnl_attr_parse_nested(nest, visit, to); }),
                walk([&](Visit* to) { return LIBRARY(mnl_attr_parse_nested)(nest, visit, to); }))
          << cut;
    }
  }
}

}  // namespace
}  // namespace unicni::exec::libmnl_test
