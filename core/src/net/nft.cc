#include "unicni/net/nft.h"

#include <endian.h>
#include <fmt/core.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string_view>
#include <thread>
#include <tuple>

#include "net/attribute.h"
#include "net/netlink_socket.h"
#include "net/nft_base.h"
#include "net/nft_batch.h"
#include "net/nft_element.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr int kTries = 20;  // each loses only to somebody else's transaction that went through
// Removal compares owners first, so any change of the ruleset by anybody overtakes it. On a host
// whose processors are busy that may happen many times in a row; it ends when the others had their
// turn.
constexpr std::chrono::seconds kRemovalPatience{5};

Error taken(const NftElement& wanted, const std::string& owner) {
  return {
      Code::internal,
      fmt::format("{} in set {} of table inet unicni belongs to {}", describe_key(wanted),
                  wanted.set, owner.empty() ? "somebody who left no comment" : '"' + owner + '"'),
      fmt::format("{} wants it; end the other attachment with DEL, or run GC if it is gone already",
                  wanted.owner)};
}

Error overtaken(std::string_view doing) {
  return {Code::try_again,
          fmt::format("{} table inet unicni: the ruleset changes all the time", doing),
          fmt::format("{} tries, each overtaken by another change", kTries)};
}

bool is_race(int error) { return error == ERESTART || error == EAGAIN || error == EINTR; }

/// Processes that keep overtaking each other get out of step: nothing at first, then random and
/// growing, 5 ms at most.
void wait_before_retry(int tries) {
  if (tries < 2) return;
  std::uint32_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) return;
  const std::uint32_t limit = std::min(50U << std::min(tries, 7), 5000U);
  std::this_thread::sleep_for(std::chrono::microseconds(random % limit));
}

bool covers(const NftElement& outer, const NftElement& inner, std::size_t field_size) {
  if (inner.key_end.empty()) return outer.key == inner.key;
  if (outer.key.size() != inner.key.size() || outer.key_end.size() != inner.key_end.size()) {
    return false;
  }
  for (std::size_t at = 0; at < inner.key.size(); at += field_size) {
    const auto field = [&](const std::string& key) {
      return std::string_view(key).substr(at, field_size);
    };
    // char_traits compares bytes as unsigned: network order is numeric order.
    if (field(outer.key) > field(inner.key) || field(outer.key_end) < field(inner.key_end)) {
      return false;
    }
  }
  return true;
}

std::size_t field_size(const NftElement& element) { return element.set.ends_with('6') ? 16 : 4; }

}  // namespace

struct Nft::Impl {
  std::optional<NetlinkSocket> opened;

  NetlinkSocket& socket() {
    if (!opened) opened.emplace(NETLINK_NETFILTER);
    return *opened;
  }

  std::uint32_t generation() {
    alignas(nlmsghdr) char bytes[64]{};
    nlmsghdr* request = mnl_nlmsg_put_header(bytes);
    put_nft_header(request, NFT_MSG_GETGEN, AF_UNSPEC);
    std::uint32_t id = 0;
    const int error =
        socket().ask(request, NetlinkSocket::Expect::answer, [&](const nlmsghdr* message) {
          for_each_attribute(message, sizeof(nfgenmsg),
                             [&](std::uint16_t type, const nlattr* value) {
                               if (type == NFTA_GEN_ID)
                                 id = be32toh(value_of<std::uint32_t>(value));
                             });
        });
    if (error != 0) throw system_error(error, "read the generation of the nftables ruleset");
    return id;
  }

  /// What has to be done so that `wanted` is in its set.
  struct SharedChange {
    bool add = false;
    std::vector<NftElement>
        narrower;  ///< ranges inside the wanted one: the kernel refuses overlaps
  };
  SharedChange shared_change(const NftElement& wanted) {
    SharedChange change;
    const auto first = read_element(socket(), wanted.set, wanted.key);
    if (first && covers(*first, wanted, field_size(wanted))) return change;
    change.add = true;
    if (first) change.narrower.push_back(*first);
    if (!wanted.key_end.empty()) {
      const auto last = read_element(socket(), wanted.set, wanted.key_end);
      if (last && last != first) change.narrower.push_back(*last);
    }
    return change;
  }

  struct Addition {
    std::vector<NftElement> own;  ///< what is still to add
    const std::vector<NftElement>& shared;
    int incomplete = 0;  ///< how often a set was missing though the table was there
  };
  /// One try. False: something changed on the way, try again.
  bool try_add(Addition& addition);
};

bool Nft::Impl::try_add(Addition& addition) {
  std::vector<NftElement>& own = addition.own;
  NftBatch batch;
  for (const NftElement& element : own) {
    put_new_element(batch.add(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL), element);
  }
  for (const NftElement& element : addition.shared) {
    const SharedChange change = shared_change(element);
    for (const NftElement& narrower : change.narrower) {
      put_old_element(batch.add(NFT_MSG_DELSETELEM, 0), narrower);
    }
    if (change.add) put_new_element(batch.add(NFT_MSG_NEWSETELEM, NLM_F_CREATE), element);
  }
  if (batch.size() == 0) return true;
  const auto failures = batch.commit(socket());
  if (failures.empty()) return true;

  bool base_missing = false;
  std::vector<std::size_t> present;
  for (const NftBatch::Failure& failure : failures) {
    // Messages come in the order of `own`, then those about shared elements.
    const bool is_own = failure.index && *failure.index < own.size();
    if (failure.error == ENOENT) {
      base_missing = true;
    } else if (failure.error == EEXIST) {
      // A shared one: somebody else changed its set since shared_change() looked.
      if (is_own) present.push_back(*failure.index);
    } else if (!is_race(failure.error)) {
      const std::string what = is_own ? describe_key(own[*failure.index]) : "elements";
      throw system_error(failure.error, fmt::format("add {} to table inet unicni", what))
          .advise(failure.text);
    }
  }
  if (base_missing) {
    // There already: another process was faster. But once is enough for that.
    if (!create_nft_base(socket()) && ++addition.incomplete == 3) {
      throw Error(Code::internal, "table inet unicni is there but not its sets",
                  "look at `nft list table inet unicni`: it was not made by this version of "
                  "unicni, remove it");
    }
    return false;
  }
  for (const std::size_t index : present) {
    const auto holder = read_element(socket(), own[index].set, own[index].key);
    if (holder && holder->owner != own[index].owner) throw taken(own[index], holder->owner);
    if (!holder) return false;  // it went meanwhile
  }
  std::ranges::sort(present, std::greater<>());
  for (const std::size_t index : present) {
    own.erase(own.begin() + static_cast<std::ptrdiff_t>(index));
  }
  return false;
}

Nft::Nft() : impl_(std::make_unique<Impl>()) {}
Nft::~Nft() = default;

void Nft::add(const std::vector<NftElement>& own, const std::vector<NftElement>& shared) {
  Impl::Addition addition{own, shared};
  // A key twice in one transaction would look taken.
  auto& left = addition.own;
  std::ranges::sort(left, {}, [](const NftElement& e) { return std::tie(e.set, e.key, e.owner); });
  left.erase(std::unique(left.begin(), left.end()), left.end());
  for (int tries = 0; tries < kTries; ++tries) {
    wait_before_retry(tries);
    if (impl_->try_add(addition)) return;
  }
  throw overtaken("add elements to");
}

std::size_t Nft::remove(const std::vector<NftElement>& elements) {
  if (elements.empty()) return 0;
  const auto give_up = std::chrono::steady_clock::now() + kRemovalPatience;
  for (int tries = 0; tries == 0 || std::chrono::steady_clock::now() < give_up; ++tries) {
    wait_before_retry(tries);
    const std::uint32_t generation = impl_->generation();
    NftBatch batch(generation);
    for (const NftElement& element : elements) {
      const auto found = read_element(impl_->socket(), element.set, element.key);
      if (found && *found == element) put_old_element(batch.add(NFT_MSG_DELSETELEM, 0), element);
    }
    if (batch.size() == 0) return 0;
    const std::size_t count = batch.size();
    const auto failures = batch.commit(impl_->socket());
    if (failures.empty()) return count;
    for (const NftBatch::Failure& failure : failures) {
      // The generation guards what was read, so any other error isn't a race.
      if (!is_race(failure.error)) {
        throw system_error(failure.error, "delete elements of table inet unicni")
            .advise(failure.text);
      }
    }
  }
  throw overtaken("delete elements of");
}

std::optional<std::string> Nft::find_owner(const std::string& set, const std::string& key) {
  const auto found = read_element(impl_->socket(), set, key);
  if (!found || found->key != key) return std::nullopt;
  return found->owner;
}

std::vector<NftElement> Nft::list(const std::string& set) {
  return read_elements(impl_->socket(), set);
}

}  // namespace unicni::net
