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
  try {
    netns = Netns::open(path);
  } catch (const Error& error) {
    if (!error.is(Code::invalid_netns)) throw;
  }
  if (!netns) return std::nullopt;
  std::optional<Netlink> links;
  if (back != nullptr) {
    links.emplace(*netns, *back);
  } else {
    links.emplace(*netns);
  }
  if (links->identity() != kept.netns) return std::nullopt;
  auto link = find_link(*links, kept.index);
  if (!link || !is_that(*link, kept)) return std::nullopt;
  return LinkInNetns{*std::move(netns), *std::move(link)};
}

}  // namespace unicni::net
