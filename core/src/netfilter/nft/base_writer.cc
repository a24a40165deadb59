#include "netfilter/nft/base_writer.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "net/attribute.h"
#include "netfilter/nft/base.h"

namespace unicni::net {
namespace {

constexpr std::uint32_t kNftTypeBits = 6;  // a concatenation's type: its fields' types side by side
constexpr std::uint32_t kNoByteOrder = 0;

/// How the fields of a key, or of a map's data, lie behind each other.
struct Layout {
  explicit Layout(const std::vector<NftKeyField>& fields) {
    for (const NftKeyField& field : fields) {
      type = type << kNftTypeBits | field.nft_type;
      size += fields.size() > 1 ? (field.size + 3U) / 4U * 4U : field.size;
    }
  }
  std::uint32_t type = 0;
  std::uint32_t size = 0;
};

}  // namespace

NftBaseWriter::NftBaseWriter(NftTable table, Mode mode, const char* comment,
                             std::optional<std::uint32_t> generation)
    : family_(nft_family(table)), mode_(mode), batch_(generation) {
  if (mode == Mode::replace) {
    put_text(add(NFT_MSG_DELTABLE, 0), NFTA_TABLE_NAME, kNftTable);
  }
  const auto object = own(nftnl_table_alloc());
  nftnl_table_set_str(object.get(), NFTNL_TABLE_NAME, kNftTable);
  const NftUserdata userdata(NFTNL_UDATA_TABLE_COMMENT, comment);
  nftnl_table_set_data(object.get(), NFTNL_TABLE_USERDATA, userdata.data(), userdata.size());
  const auto exclusive = static_cast<std::uint16_t>(mode == Mode::create ? NLM_F_EXCL : 0);
  put_object(add(NFT_MSG_NEWTABLE, static_cast<std::uint16_t>(NLM_F_CREATE | exclusive)),
             nftnl_table_nlmsg_build_payload, object.get());
}

nl_msg* NftBaseWriter::add(std::uint16_t type, std::uint16_t flags) {
  return batch_.add(type, flags, family_);
}

void NftBaseWriter::set(const char* name, const std::vector<NftKeyField>& key,
                        const char* comment) {
  put_set(name, key, Data::none, {}, comment);
}

void NftBaseWriter::map(const char* name, const std::vector<NftKeyField>& key,
                        const std::vector<NftKeyField>& data, const char* comment) {
  put_set(name, key, Data::fields, data, comment);
}

void NftBaseWriter::verdict_map(const char* name, const std::vector<NftKeyField>& key,
                                const char* comment) {
  put_set(name, key, Data::verdict, {}, comment);
}

void NftBaseWriter::put_set(const char* name, const std::vector<NftKeyField>& key, Data what,
                            const std::vector<NftKeyField>& data, const char* comment) {
  const bool concatenated = key.size() > 1;
  const std::uint32_t flags = what == Data::none ? 0 : NFT_SET_MAP;

  const auto object = own(nftnl_set_alloc());
  nftnl_set_set_str(object.get(), NFTNL_SET_TABLE, kNftTable);
  nftnl_set_set_str(object.get(), NFTNL_SET_NAME, name);
  nftnl_set_set_u32(object.get(), NFTNL_SET_ID, ++last_set_id_);
  nftnl_set_set_u32(object.get(), NFTNL_SET_FLAGS, flags);
  const Layout layout(key);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_TYPE, layout.type);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_LEN, layout.size);
  NftUserdata userdata;
  userdata.number(NFTNL_UDATA_SET_KEYBYTEORDER, concatenated ? kNoByteOrder : key[0].byte_order);
  if (what == Data::verdict) {
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
    userdata.number(NFTNL_UDATA_SET_DATABYTEORDER, kNoByteOrder);
  }
  if (what == Data::fields) {
    const Layout value(data);
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_TYPE, value.type);
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_LEN, value.size);
    userdata.number(NFTNL_UDATA_SET_DATABYTEORDER,
                    data.size() > 1 ? kNoByteOrder : data[0].byte_order);
  }
  userdata.comment(NFTNL_UDATA_SET_COMMENT, comment);
  nftnl_set_set_data(object.get(), NFTNL_SET_USERDATA, userdata.data(), userdata.size());
  put_object(add(NFT_MSG_NEWSET, NLM_F_CREATE), nftnl_set_nlmsg_build_payload, object.get());
}

void NftBaseWriter::chain(const char* name) { put_chain(*new_chain(name), name); }

void NftBaseWriter::base_chain(const char* name, const char* type, std::uint32_t hook,
                               std::int32_t priority) {
  const auto chain = new_chain(name);
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, type);
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook);
  nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, priority);
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
  put_chain(*chain, name);
}

void NftBaseWriter::rule(const NftRule& rule) {
  rule.put(add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND));
}

NftOwned<nftnl_chain> NftBaseWriter::new_chain(const char* name) const {
  auto chain = own(nftnl_chain_alloc());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, kNftTable);
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, require_nft_name(name));
  return chain;
}

void NftBaseWriter::put_chain(nftnl_chain& chain, const char* name) {
  put_object(add(NFT_MSG_NEWCHAIN, NLM_F_CREATE), nftnl_chain_nlmsg_build_payload, &chain);
  if (mode_ != Mode::mend) return;
  // Without a handle: all rules of the chain.
  nl_msg* flush = add(NFT_MSG_DELRULE, 0);
  put_text(flush, NFTA_RULE_TABLE, kNftTable);
  put_text(flush, NFTA_RULE_CHAIN, name);
}

}  // namespace unicni::net
