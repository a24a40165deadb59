#include "netfilter/nft/element.h"

#include <endian.h>
#include <fmt/core.h>
#include <linux/if.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/owner.h"
#include "net/attribute.h"
#include "net/single_request.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/batch.h"
#include "netfilter/nft/owned.h"
#include "netfilter/nft/query.h"
#include "unicni/error.h"
#include "unicni/netfilter/port_place.h"

namespace unicni::net {
namespace {

constexpr std::size_t kLongestKey = 64;  // NFT_DATA_VALUE_MAXLEN

void put_set(nl_msg* message, const std::string& set) {
  put_text(message, NFTA_SET_ELEM_LIST_TABLE, kNftTable);
  put_text(message, NFTA_SET_ELEM_LIST_SET, set);
}

void put_data(nl_msg* message, std::uint16_t type, const std::string& bytes) {
  const Nest data(message, type);
  put_bytes(message, NFTA_DATA_VALUE, bytes.size(), bytes.data());
}

/// Verdict maps lead to chains by goto and not by jump: what comes back at a chain's end would go
/// on behind the look-up.
void put_goto(nl_msg* message, const std::string& chain) {
  const Nest data(message, NFTA_SET_ELEM_DATA);
  const Nest verdict(message, NFTA_DATA_VERDICT);
  put_u32(message, NFTA_VERDICT_CODE, htobe32(static_cast<std::uint32_t>(NFT_GOTO)));
  put_text(message, NFTA_VERDICT_CHAIN, chain);
}

void put_element(nl_msg* message, const NftElement& element, bool with_comment) {
  put_set(message, element.set);
  const Nest elements(message, NFTA_SET_ELEM_LIST_ELEMENTS);
  const Nest one(message, NFTA_LIST_ELEM);
  put_data(message, NFTA_SET_ELEM_KEY, element.key);
  if (!element.key_end.empty()) put_data(message, NFTA_SET_ELEM_KEY_END, element.key_end);
  // To find or delete one the kernel compares nothing else (nft_del_setelem).
  if (!with_comment) return;
  if (is_nft_goto(element)) {
    put_goto(message, element.data);
  } else if (!element.data.empty()) {
    put_data(message, NFTA_SET_ELEM_DATA, element.data);
  }
  const NftUserdata userdata(NFTNL_UDATA_SET_ELEM_COMMENT, element.owner);
  put_bytes(message, NFTA_SET_ELEM_USERDATA, userdata.size(), userdata.data());
}

/// Keys and data are raw bytes in the order in which packets carry them.
std::string data_of(const nlattr* data) {
  std::string bytes;
  for_each_attribute(data, [&](std::uint16_t type, const nlattr* attribute) {
    if (type == NFTA_DATA_VERDICT) {
      for_each_attribute(attribute, [&](std::uint16_t part, const nlattr* chain) {
        if (part == NFTA_VERDICT_CHAIN) bytes = text_of(chain);
      });
    }
    if (type == NFTA_DATA_VALUE) {
      bytes = bytes_of(attribute);
    }
  });
  return bytes;
}

/// `like`: what the elements have in common.
void parse_elements(const nlmsghdr* message, const NftElement& like,
                    std::vector<NftElement>& found) {
  for_each_attribute(message, sizeof(nfgenmsg), [&](std::uint16_t type, const nlattr* list) {
    if (type != NFTA_SET_ELEM_LIST_ELEMENTS) return;
    for_each_attribute(list, [&](std::uint16_t, const nlattr* one) {
      NftElement element{like.set, {}, {}, {}, like.table, {}};
      for_each_attribute(one, [&](std::uint16_t part, const nlattr* attribute) {
        if (part == NFTA_SET_ELEM_KEY) element.key = data_of(attribute);
        if (part == NFTA_SET_ELEM_KEY_END) element.key_end = data_of(attribute);
        if (part == NFTA_SET_ELEM_DATA) element.data = data_of(attribute);
        if (part == NFTA_SET_ELEM_USERDATA) {
          element.owner = nft_comment_of(attribute, NFTNL_UDATA_SET_ELEM_COMMENT);
        }
      });
      if (!element.key.empty()) found.push_back(std::move(element));
    });
  });
}

/// What the kernel says to a key of another length than those of the set: there is no such element.
bool is_no_key_of_set(int error) { return error == EINVAL || error == EOVERFLOW; }

/// Absence has many errnos: of the table, the set or the element (ENOENT), and of a key that the
/// set couldn't hold.
std::vector<NftElement> ask(NetlinkSocket& socket, nl_msg* request, NetlinkSocket::Expect expect,
                            const NftElement& like) {
  std::vector<NftElement> found;
  const int error = socket.ask(
      request, expect, [&](const nlmsghdr* message) { parse_elements(message, like, found); });
  if (error == ENOENT || is_no_key_of_set(error)) return {};
  if (error != 0) {
    throw system_error(error, fmt::format("read set {} {}", nft_table_name(like.table), like.set));
  }
  return found;
}

/// Reads a set up to the first wanted element.
class Search : public Listener {
 public:
  Search(std::uint32_t sequence, NftElement like,
         const std::function<bool(const NftElement&)>& wanted)
      : sequence_(sequence), like_(std::move(like)), wanted_(wanted) {}

  [[nodiscard]] bool expects(std::uint32_t sequence) const noexcept override {
    return sequence == sequence_;
  }
  bool on_answer(nl_msg* message) override {
    std::vector<NftElement> elements;
    parse_elements(header_of(message), like_, elements);
    found = std::ranges::any_of(elements, wanted_);
    return !found;
  }
  bool on_result(const Acknowledgement&) override {
    ended = true;
    return false;
  }

  bool found = false;
  bool ended = false;

 private:
  std::uint32_t sequence_;
  NftElement like_;
  const std::function<bool(const NftElement&)>& wanted_;
};

/// Each field of a concatenated key fills whole registers of 4 bytes. The rest is zero, and the
/// kernel compares it.
std::string padded(std::string_view bytes, std::size_t size) {
  std::string field(bytes);
  field.resize(size);
  return field;
}

/// "network/container" of an owner; of a long one its end behind "<hash>~".
std::string_view without_interface(std::string_view owner) {
  const std::size_t last = owner.rfind('/');
  return last == owner.npos ? std::string_view() : owner.substr(0, last);
}

}  // namespace

Family family_of(const NftElement& element) {
  const auto row = find_nft_set(element);
  return row ? row->address_family() : Family::v4;
}

bool is_nft_goto(const NftElement& element) {
  const auto row = find_nft_set(element);
  return row && row->leads_to_chains();
}

bool is_nft_condition(const NftElement& element) {
  const auto row = find_nft_set(element);
  return row && (row->kind == NftSetKind::cond_at || row->kind == NftSetKind::cond_any);
}

/// The first address of a key is the container's; what may follow is its subnet.
std::optional<IpAddress> find_container_address(const NftElement& element) {
  const auto row = find_nft_set(element);
  // Shorter than its set's keys: of a damaged journal.
  if (!row || is_about_host_port(element) || element.key.size() < row->key_size()) {
    return std::nullopt;
  }
  const Family family = row->address_family();
  std::size_t at = 0;
  for (const NftSetField field : row->key) {
    const std::size_t size = form_of(field, family).padded_size();
    if (field == NftSetField::ip) return address_from_key({element.key.data() + at, size});
    at += size;
  }
  return std::nullopt;
}

std::optional<IpAddress> find_target_address(const NftElement& element) {
  const auto row = find_nft_set(element);
  const bool leads =
      row && is_about_host_port(element) && !is_claim(element) && !is_nft_goto(element);
  const std::size_t size = leads && row->address_family() == Family::v6 ? 16 : 4;
  if (!leads || element.data.size() <= size) return std::nullopt;
  return address_from_key(std::string_view(element.data).substr(0, size));
}

std::string address_key(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.data()), address.size()};
}

IpAddress address_from_key(std::string_view bytes) {
  std::array<std::uint8_t, 16> raw{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), raw.size()), raw.begin());
  if (bytes.size() == raw.size()) return IpAddress::v6(raw);
  return IpAddress::v4(std::uint32_t{raw[0]} << 24U | std::uint32_t{raw[1]} << 16U |
                       std::uint32_t{raw[2]} << 8U | raw[3]);
}

/// An interface's name is compared with all 16 bytes of IFNAMSIZ, the zeroes behind it included.
std::string interface_key(const std::string& name) {
  if (!is_link_name(name)) {
    throw Error(Code::invalid_config, fmt::format("\"{}\" is no interface name", name),
                fmt::format("write a name of 1 to {} bytes", IFNAMSIZ - 1));
  }
  return padded(name, IFNAMSIZ);
}

std::string mac_key(const Mac& mac) {
  const auto& bytes = mac.bytes();
  return padded({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                form_of(NftSetField::mac, Family::v4).padded_size());
}

std::string protocol_key(std::uint8_t protocol) { return {static_cast<char>(protocol), 0, 0, 0}; }

std::string port_key(std::uint16_t port) {
  return {static_cast<char>(port >> 8U), static_cast<char>(port & 0xffU), 0, 0};
}

void put_new_element(nl_msg* message, const NftElement& element) {
  put_element(message, element, true);
}

void put_old_element(nl_msg* message, const NftElement& element) {
  put_element(message, element, false);
}

/// The kernel hashes the key, so this costs the same in a set of any size. An interval set is
/// searched by its tree.
std::optional<NftElement> read_element(NetlinkSocket& socket, NftTable table,
                                       const std::string& set, const std::string& key) {
  if (!is_nft_name(set) || key.empty() || key.size() > kLongestKey) return std::nullopt;
  SingleRequest request;
  put_nft_header(request, NFT_MSG_GETSETELEM, nft_family(table));
  const NftElement wanted{set, key, {}, {}, table};
  put_element(request, wanted, false);
  auto found = ask(socket, request, NetlinkSocket::Expect::answer, wanted);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

/// Reads the whole set. For what concerns one attachment there is read_element().
std::vector<NftElement> read_elements(NetlinkSocket& socket, NftTable table,
                                      const std::string& set) {
  if (!is_nft_name(set)) return {};
  SingleRequest request(0, NLM_F_DUMP);
  put_nft_header(request, NFT_MSG_GETSETELEM, nft_family(table));
  put_set(request, set);
  return ask(socket, request, NetlinkSocket::Expect::dump, {set, {}, {}, {}, table, {}});
}

// A dump is made as it is read: the kernel fills a datagram a receive (netlink_dump), so that one
// which nobody reads on has cost its first datagrams.
bool has_any_element(NetlinkSocket& socket, NftTable table, const std::string& set,
                     const std::function<bool(const NftElement&)>& wanted) {
  SingleRequest request(0, NLM_F_REQUEST | NLM_F_DUMP);
  put_nft_header(request, NFT_MSG_GETSETELEM, nft_family(table));
  put_set(request, set);
  header_of(request)->nlmsg_seq = socket.take_sequence();
  socket.send(request);
  Search search(header_of(request)->nlmsg_seq, {set, {}, {}, {}, table, {}}, wanted);
  while (!search.ended && !search.found) socket.receive(search);
  return search.found;
}

std::string nft_owner(const std::string& owner) { return owner_comment(owner); }

std::string find_container(const std::string& owner) {
  const std::string_view head = without_interface(owner);
  const std::size_t slash = head.rfind('/');
  return slash == head.npos ? std::string() : std::string(head.substr(slash + 1));
}

bool is_of_container(const std::string& owner, const std::string& container_id) {
  if (const std::string whole = find_container(owner); !whole.empty()) {
    return whole == container_id;
  }
  // What nft_owner() leaves of a container is more than another one's has in common with it.
  const std::string_view head = without_interface(owner);
  const std::size_t cut = head.find('~');
  return cut != head.npos && container_id.ends_with(head.substr(cut + 1));
}

NftElement interface_element(NftSetKind set, const std::string& interface,
                             const std::string& owner) {
  const NftSetRow& row = nft_set(set);
  return {row.name.c_str(), interface_key(interface), {}, nft_owner(owner), row.table, {}};
}

NftElement interface_element(NftSetKind set, const std::string& interface, const IpAddress& address,
                             const std::string& owner) {
  const NftSetRow& row = nft_set(set, address.family());
  return {row.name.c_str(),
          interface_key(interface) + address_key(address),
          {},
          nft_owner(owner),
          row.table,
          {}};
}

}  // namespace unicni::net
