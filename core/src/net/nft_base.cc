#include "net/nft_base.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "net/nft_batch.h"
#include "net/nft_owned.h"
#include "net/nft_rule.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr const char* kBaseComment = "unicni base 1";

/// Type of a key's field as nft(8) numbers it (its src/datatype.h); nft can't list a set without.
struct KeyField {
  std::uint32_t nft_type;
  std::uint8_t size;
};
constexpr KeyField kIp4Key{7, 4};
constexpr KeyField kIp6Key{8, 16};
constexpr std::uint32_t kNftTypeBits = 6;  // a concatenation's type: its fields' types side by side
constexpr std::uint32_t kBigEndian = 2;    // BYTEORDER_BIG_ENDIAN of nft(8)
constexpr std::uint32_t kNoByteOrder = 0;

constexpr int kSourceNatPriority =
    100 + 5;  // NF_IP_PRI_NAT_SRC; 5 behind, so that a rule of the user's own wins

/// Writes one transaction, piece by piece.
class BaseWriter {
 public:
  void table(const char* comment) {
    const auto table = own(nftnl_table_alloc());
    nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, kNftTable);
    const NftUserdata userdata(NFTNL_UDATA_TABLE_COMMENT, comment);
    nftnl_table_set_data(table.get(), NFTNL_TABLE_USERDATA, userdata.data(), userdata.size());
    nftnl_table_nlmsg_build_payload(batch_.add(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL),
                                    table.get());
  }

  enum class Kind { hash, interval };
  void set(const char* name, const std::vector<KeyField>& key, Kind kind,
           const char* comment = "") {
    std::uint32_t type = 0;
    std::uint32_t size = 0;
    std::vector<std::uint8_t> sizes;
    for (const KeyField& field : key) {
      type = type << kNftTypeBits | field.nft_type;
      size += (field.size + 3U) / 4U * 4U;
      sizes.push_back(field.size);
    }
    const bool concatenated = key.size() > 1;
    std::uint32_t flags = 0;
    if (kind == Kind::interval) flags |= NFT_SET_INTERVAL;
    if (kind == Kind::interval && concatenated) flags |= NFT_SET_CONCAT;

    const auto set = own(nftnl_set_alloc());
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, kNftTable);
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name);
    nftnl_set_set_u32(set.get(), NFTNL_SET_ID, ++last_set_id_);
    nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, flags);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, type);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, size);
    if ((flags & NFT_SET_CONCAT) != 0) {
      nftnl_set_set_data(set.get(), NFTNL_SET_DESC_CONCAT, sizes.data(),
                         static_cast<std::uint32_t>(sizes.size()));
    }
    NftUserdata userdata;
    userdata.number(NFTNL_UDATA_SET_KEYBYTEORDER, concatenated ? kNoByteOrder : kBigEndian);
    userdata.comment(NFTNL_UDATA_SET_COMMENT, comment);
    nftnl_set_set_data(set.get(), NFTNL_SET_USERDATA, userdata.data(), userdata.size());
    nftnl_set_nlmsg_build_payload(batch_.add(NFT_MSG_NEWSET, NLM_F_CREATE), set.get());
  }

  void chain(const char* name) { put_chain(*new_chain(name)); }
  void nat_chain(const char* name, std::uint32_t hook, int priority) {
    const auto chain = new_chain(name);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, "nat");
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook);
    nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, priority);
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
    put_chain(*chain);
  }

  void rule(const NftRule& rule) {
    rule.put(batch_.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND));
  }

  NftBatch& batch() { return batch_; }

 private:
  static NftOwned<nftnl_chain> new_chain(const char* name) {
    auto chain = own(nftnl_chain_alloc());
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, kNftTable);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name);
    return chain;
  }
  void put_chain(nftnl_chain& chain) {
    nftnl_chain_nlmsg_build_payload(batch_.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE), &chain);
  }

  NftBatch batch_;
  std::uint32_t last_set_id_ = 0;
};

/// What leaves a container for outside its own networks gets the host's address.
void write_masquerade(BaseWriter& base) {
  using Kind = BaseWriter::Kind;
  base.set("net4", {kIp4Key, kIp4Key}, Kind::interval, "subnet . subnet: on-link pairs");
  base.set("net6", {kIp6Key, kIp6Key}, Kind::interval, "subnet . subnet: on-link pairs");
  base.set("masq4", {kIp4Key}, Kind::hash, "container addresses to masquerade");
  base.set("masq6", {kIp6Key}, Kind::hash, "container addresses to masquerade");

  // Chains before the rules that go to them.
  base.nat_chain("source_nat", NF_INET_POST_ROUTING, kSourceNatPriority);
  base.chain("masq_net4");
  base.chain("masq_net6");

  struct Parts {
    Family family;
    const char* sources;
    const char* pairs;
    const char* chain;
    const char* multicast;
  };
  constexpr Parts kParts[] = {{Family::v4, "masq4", "net4", "masq_net4", "224.0.0.0/4"},
                              {Family::v6, "masq6", "net6", "masq_net6", "ff00::/8"}};
  for (const Parts& part : kParts) {
    const NftField source = nft_field::ip_source(part.family);
    const NftField destination = nft_field::ip_destination(part.family);
    const IpNet multicast = IpNet::parse(part.multicast).value();
    base.rule(NftRule("source_nat")
                  .family(part.family)
                  .fields_in({source}, part.sources)
                  .go_to(part.chain));
    base.rule(
        NftRule(part.chain).family(part.family).field_within(destination, multicast).returns());
    base.rule(NftRule(part.chain)
                  .family(part.family)
                  .fields_in({source, destination}, part.pairs)
                  .returns());
    base.rule(NftRule(part.chain).masquerade());
  }
}

}  // namespace

bool create_nft_base(NetlinkSocket& socket) {
  BaseWriter base;
  base.table(kBaseComment);
  write_masquerade(base);
  const auto failures = base.batch().commit(socket);
  if (failures.empty()) return true;
  // Message 0 is the table. Whoever made it made all of it in one transaction as well.
  const bool exists = std::ranges::any_of(failures, [](const NftBatch::Failure& failure) {
    return failure.index == 0U && failure.error == EEXIST;
  });
  if (exists) return false;
  throw system_error(failures.front().error, "create the base of table inet unicni")
      .advise(failures.front().text);
}

}  // namespace unicni::net
