// libnl's objects with owners.
#pragma once

#include <memory>
#include <new>

struct nl_cb;
struct nl_msg;
struct nl_sock;

namespace unicni::net {

struct NlFree {
  void operator()(nl_sock* socket) const noexcept;
  void operator()(nl_cb* callbacks) const noexcept;
  void operator()(nl_msg* message) const noexcept;
};
template <class T>
using NlOwned = std::unique_ptr<T, NlFree>;

/// Takes what an allocating function of libnl returned.
template <class T>
NlOwned<T> own_nl(T* allocated) {
  if (allocated == nullptr) throw std::bad_alloc();
  return NlOwned<T>(allocated);
}

}  // namespace unicni::net
