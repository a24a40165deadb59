// libnftnl's objects with owners.
#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "net/attribute.h"
#include "unicni/error.h"

namespace unicni::net {

struct NftFree {
  void operator()(nftnl_table* table) const { nftnl_table_free(table); }
  void operator()(nftnl_chain* chain) const { nftnl_chain_free(chain); }
  void operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }
  void operator()(nftnl_set* set) const { nftnl_set_free(set); }
  void operator()(nftnl_udata_buf* udata) const { nftnl_udata_buf_free(udata); }
};
template <class T>
using NftOwned = std::unique_ptr<T, NftFree>;

/// Takes what a nftnl_*_alloc() returned.
template <class T>
NftOwned<T> own(T* allocated) {
  if (allocated == nullptr) throw std::bad_alloc();
  return NftOwned<T>(allocated);
}

/// Whether a table, set or chain could have this name: 1 to 255 bytes (NFT_NAME_MAXLEN), no NUL.
inline bool is_nft_name(std::string_view name) noexcept {
  return !name.empty() && name.size() < NFT_NAME_MAXLEN && name.find('\0') == name.npos;
}
/// The name for libnftnl. Throws Error (Code::invalid_config) if it can't be one.
const char* require_nft_name(const std::string& name);

/// Puts the attributes of an object into `message`: `build` is
/// nftnl_<object>_nlmsg_build_payload(), which knows nothing of room. Throws Error if they don't
/// fit.
template <class Object>
void put_object(nl_msg* message, void (*build)(nlmsghdr*, Object*),
                std::type_identity_t<Object>* object) {
  // More than an object of names that passed require_nft_name() ever has.
  alignas(nlmsghdr) std::array<char, std::size_t{1} << 15U> scratch;
  auto* built = new (scratch.data()) nlmsghdr{NLMSG_HDRLEN, 0, 0, 0, 0};
  build(built, object);
  const std::size_t size = built->nlmsg_len - NLMSG_HDRLEN;
  std::memcpy(take_room(message, size), NLMSG_DATA(built), size);
}

/// User data as nft(8) stores it: at most 256 bytes, typed.
class NftUserdata {
 public:
  NftUserdata() : buffer_(own(nftnl_udata_buf_alloc(256))) {}
  /// With a comment, if there is one. `type` is the number for the kind of object,
  /// NFTNL_UDATA_*_COMMENT.
  NftUserdata(std::uint8_t type, const std::string& text) : NftUserdata() { comment(type, text); }

  /// Throws Error if `text` is longer than what is left.
  void comment(std::uint8_t type, const std::string& text) {
    if (!text.empty() && !nftnl_udata_put_strz(buffer_.get(), type, text.c_str())) {
      throw Error(Code::internal, "no comment of nftables is as long as \"" + text + '"');
    }
  }
  void number(std::uint8_t type, std::uint32_t value) {
    nftnl_udata_put_u32(buffer_.get(), type, value);
  }
  [[nodiscard]] const void* data() const { return nftnl_udata_buf_data(buffer_.get()); }
  [[nodiscard]] std::uint32_t size() const { return nftnl_udata_buf_len(buffer_.get()); }

 private:
  NftOwned<nftnl_udata_buf> buffer_;
};

}  // namespace unicni::net
