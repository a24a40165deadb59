// Read, decide, change: as one step, although the kernel knows only batches of changes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "net/netlink_socket.h"
#include "netfilter/nft/batch.h"

namespace unicni::net {

/// True for an errno that says "a foreign change came first".
bool is_nft_race(int error);

/// Processes that keep overtaking each other get out of step: nothing at first, then random and
/// growing, 5 ms at most.
void wait_before_nft_retry(int tries);

/// The number of the ruleset as it is now; every transaction of anybody makes it another.
std::uint32_t nft_generation(NetlinkSocket& socket);

/// What `look` finds, of several questions of which each is answered as the ruleset is by then: a
/// "no" counts only if the ruleset stayed the same meanwhile, or changes all the time.
bool holds_at_one_generation(NetlinkSocket& socket, const std::function<bool()>& look);

/// `plan` reads what it needs and puts the changes into the batch that it is given; the batch is
/// refused by the kernel if the ruleset was changed since `plan` began, and then everything starts
/// over, for 5 s at most. A batch that stays empty is success. So is a deletion of what isn't
/// there: the rest of the batch is done without it. A chain that foreign rules lead to
/// stays, and is an Error when the rest has been done. Returns how many messages were committed.
/// Throws Error
/// "<doing>: …".
std::size_t commit_as_read(NetlinkSocket& socket, std::string_view doing,
                           const std::function<void(NftBatch&)>& plan);

}  // namespace unicni::net
