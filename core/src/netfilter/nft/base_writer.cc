#include "netfilter/nft/base_writer.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <span>

#include "net/attribute.h"
#include "netfilter/nft/base.h"

namespace unicni::net {
namespace {

constexpr std::uint32_t kNftTypeBits = 6;  // a concatenation's type: its fields' types side by side
constexpr std::uint32_t kNoByteOrder = 0;

/// How the fields of a key, or of a map's data, lie behind each other.
struct Layout {
  Layout(std::span<const NftSetField> fields, Family family) {
    for (const NftSetField field : fields) {
      const NftFieldForm form = form_of(field, family);
      if (form.size == 0) continue;
      type = type << kNftTypeBits | form.nft_type;
      // The fields of a concatenation begin at whole registers; one that stands alone is as long as
      // it is.
      size = count == 0 ? form.size : static_cast<std::uint32_t>(padded_size + form.padded_size());
      padded_size += form.padded_size();
      byte_order = count == 0 ? form.byte_order : kNoByteOrder;
      ++count;
    }
  }
  std::uint32_t type = 0;
  std::uint32_t size = 0;
  std::uint32_t byte_order = kNoByteOrder;

 private:
  std::size_t count = 0;
  std::size_t padded_size = 0;
};

}  // namespace

// Messages of one batch see what those before them made: the table comes first, then sets and
// chains, then the rules that name them. nft(8) reads sets by what it stores in their user data.
NftBaseWriter::NftBaseWriter(NftTable table, Mode mode, const char* comment, const Folders& folders,
                             std::optional<std::uint32_t> generation)
    : family_(nft_family(table)), mode_(mode), folders_(folders), batch_(generation) {
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

void NftBaseWriter::set(const NftSetRow& row) {
  const auto object = own(nftnl_set_alloc());
  nftnl_set_set_str(object.get(), NFTNL_SET_TABLE, kNftTable);
  nftnl_set_set_str(object.get(), NFTNL_SET_NAME, row.name.c_str());
  // Rules of the batch could name the set by it; the kernel wants one, whatever it is.
  nftnl_set_set_u32(object.get(), NFTNL_SET_ID, ++last_set_id_);
  nftnl_set_set_u32(object.get(), NFTNL_SET_FLAGS, row.is_map() ? NFT_SET_MAP : 0);
  const Layout key(row.key, row.address_family());
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_TYPE, key.type);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_LEN, key.size);
  NftUserdata userdata;
  userdata.number(NFTNL_UDATA_SET_KEYBYTEORDER, key.byte_order);
  if (row.leads_to_chains()) {
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
    userdata.number(NFTNL_UDATA_SET_DATABYTEORDER, kNoByteOrder);
  } else if (row.is_map()) {
    const Layout data(row.data, row.address_family());
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_TYPE, data.type);
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_LEN, data.size);
    userdata.number(NFTNL_UDATA_SET_DATABYTEORDER, data.byte_order);
  }
  userdata.comment(NFTNL_UDATA_SET_COMMENT, row.comment);
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
  // The chain may be there with some of its rules: they are written anew behind this.
  // Without a handle: all rules of the chain.
  nl_msg* flush = add(NFT_MSG_DELRULE, 0);
  put_text(flush, NFTA_RULE_TABLE, kNftTable);
  put_text(flush, NFTA_RULE_CHAIN, name);
}

}  // namespace unicni::net
