#include "netfilter/nft/transaction.h"

#include <endian.h>
#include <fmt/core.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

// Any change of the ruleset by anybody overtakes it. On a host whose processors are busy that may
// happen many times in a row; it ends when the others had their turn.
constexpr std::chrono::seconds kPatience{5};

}  // namespace

bool is_nft_race(int error) { return error == ERESTART || error == EAGAIN || error == EINTR; }

/// A random wait that grows: processes that failed together would otherwise meet again at the next
/// try.
void wait_before_nft_retry(int tries) {
  if (tries < 2) return;
  std::uint32_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) return;
  const std::uint32_t limit = std::min(50U << std::min(tries, 7), 5000U);
  std::this_thread::sleep_for(std::chrono::microseconds(random % limit));
}

// nft_net->base_seq, which every commit raises (nf_tables_commit). A batch with NFNL_BATCH_GENID is
// refused with ERESTART if the number isn't that any more: read, decide and change become one step.
std::uint32_t nft_generation(NetlinkSocket& socket) {
  SingleRequest request;
  put_nft_header(request, NFT_MSG_GETGEN, AF_UNSPEC);
  std::uint32_t id = 0;
  const int error =
      socket.ask(request, NetlinkSocket::Expect::answer, [&](const nlmsghdr* message) {
        for_each_attribute(message, sizeof(nfgenmsg), [&](std::uint16_t type, const nlattr* value) {
          if (type == NFTA_GEN_ID) id = be32toh(value_of<std::uint32_t>(value));
        });
      });
  if (error != 0) throw system_error(error, "read the generation of the nftables ruleset");
  return id;
}

/// A "no" counts only if nothing changed while it was found: rules that are being replaced are
/// missing for a moment.
bool holds_at_one_generation(NetlinkSocket& socket, const std::function<bool()>& look) {
  constexpr int kLooks = 20;
  for (int looks = 0; looks < kLooks; ++looks) {
    wait_before_nft_retry(looks);
    const std::uint32_t before = nft_generation(socket);
    if (look()) return true;
    if (nft_generation(socket) == before) break;
  }
  return false;
}

/// `plan` reads the ruleset and fills the batch. It runs again from the start after each change by
/// another program, so it must not remember anything of the run before.
std::size_t commit_as_read(NetlinkSocket& socket, std::string_view doing,
                           const std::function<void(NftBatch&)>& plan) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  int tries = 0;
  for (; tries == 0 || std::chrono::steady_clock::now() < give_up; ++tries) {
    wait_before_nft_retry(tries);
    NftBatch batch(nft_generation(socket));
    plan(batch);
    auto failures = batch.commit(socket);
    std::optional<NftBatch::Failure> in_use;
    for (;;) {
      auto hindrances = batch.hindrances(failures, ENOENT);
      if (const auto used = batch.hindrances(failures, EBUSY);
          hindrances.empty() && !used.empty()) {
        in_use = failures.front();
        hindrances = used;
      }
      if (hindrances.empty()) break;
      // Nothing was done, also of what was right. The same generation holds for the next try.
      batch.drop(hindrances);
      failures = batch.commit(socket);
    }
    if (failures.empty() && in_use) throw system_error(EBUSY, doing).advise(in_use->text);
    if (failures.empty()) return batch.size();
    for (const NftBatch::Failure& failure : failures) {
      // The generation guards what was read, so any other error isn't a race.
      if (!is_nft_race(failure.error)) {
        throw system_error(failure.error, doing).advise(failure.text);
      }
    }
  }
  throw Error(
      Code::try_again, fmt::format("{}: the nftables ruleset changes all the time", doing),
      fmt::format("try again: each of {} attempts was overtaken by another program's change",
                  tries));
}

}  // namespace unicni::net
