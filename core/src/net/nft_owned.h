// libnftnl's objects with owners.
#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string>

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

/// User data as nft(8) stores it: at most 256 bytes, typed.
class NftUserdata {
 public:
  NftUserdata() : buffer_(own(nftnl_udata_buf_alloc(256))) {}
  /// With a comment, if there is one. `type` is the number for the kind of object,
  /// NFTNL_UDATA_*_COMMENT.
  NftUserdata(std::uint8_t type, const std::string& text) : NftUserdata() { comment(type, text); }

  void comment(std::uint8_t type, const std::string& text) {
    if (!text.empty()) nftnl_udata_put_strz(buffer_.get(), type, text.c_str());
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
