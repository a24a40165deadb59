#include "unicni/net/kept_link.h"

#include <utility>

#include "unicni/error.h"
#include "unicni/net/netlink.h"

namespace unicni::net {
namespace {

bool is_that(const Link& link, const KeptLink& kept) {
  if (link.mac == kept.mac) return true;
  return link.name == kept.name && (kept.kind.empty() || link.kind == kept.kind);
}

}  // namespace

std::optional<LinkInNetns> find_kept_link(const std::string& path, const KeptLink& kept,
                                          const Netns* back) {
  std::optional<Netns> netns;
  std::optional<Netlink> links;
  try {
    netns = Netns::open(path);
    if (!netns) return std::nullopt;
    if (back != nullptr) {
      links.emplace(*netns, *back);
    } else {
      links.emplace(*netns);
    }
  } catch (const Error& error) {
    // Also one that may not be entered: nobody of ours can have had the link there.
    if (!error.is(Code::invalid_netns)) throw;
    return std::nullopt;
  }
  if (links->identity() != kept.netns) return std::nullopt;
  auto link = find_link(*links, kept.index);
  if (!link || !is_that(*link, kept)) return std::nullopt;
  return LinkInNetns{*std::move(netns), *std::move(link)};
}

}  // namespace unicni::net
