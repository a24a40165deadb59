#include "journal/replay.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <string_view>

#include "journal/journal.h"
#include "journal/shared_links.h"
#include "unicni/ip.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"
#include "unicni/net/nft.h"
#include "unicni/sys/file.h"

namespace unicni::journal {
namespace {

constexpr unsigned kKnownVersion = 1;

const std::string& field(const Undo& record, std::string_view key) {
  const auto found = std::find_if(record.fields.begin(), record.fields.end(),
                                  [&](const auto& pair) { return pair.first == key; });
  if (found != record.fields.end()) return found->second;
  throw Error(Code::internal,
              fmt::format("undo record \"{}\" has no field \"{}\"", record.type, key));
}

void undo_one_veth(const Undo& record, const ReplayTools& tools) {
  const std::string& name = field(record, "name");
  const std::string& alias = field(record, "alias");
  net::Netlink& links = tools.host.host_links();
  const auto link = net::find_link(links, name);
  if (!link || link->kind != "veth" || link->alias != alias) return;
  net::remove_link(links, link->index);
}

/// No port comes between the look for ports and what is done to an idle bridge.
std::optional<sys::Lock> lock_ports() {
  constexpr std::chrono::seconds kPatience{5};
  return lock_shared_links(kFolder, sys::LockMode::exclusive,
                           std::chrono::steady_clock::now() + kPatience);
}

std::optional<net::Link> find_idle_bridge(net::Netlink& links, const std::string& name) {
  auto link = net::find_link(links, name);
  if (!link || link->kind != "bridge" || !net::list_ports(links, link->index).empty()) {
    return std::nullopt;
  }
  return link;
}

void undo_one_bridge(const Undo& record, const ReplayTools& tools) {
  const std::string& name = field(record, "name");
  net::Netlink& links = tools.host.host_links();
  const auto lock = lock_ports();
  const auto bridge = find_idle_bridge(links, name);
  if (bridge) net::remove_link(links, bridge->index);
}

void undo_one_shared_address(const Undo& record, const ReplayTools& tools) {
  const std::string& name = field(record, "link");
  const auto address = IpNet::parse(field(record, "address"));
  if (!address) {
    throw Error(Code::internal, fmt::format("undo record \"{}\": \"{}\" is no address", record.type,
                                            field(record, "address")));
  }
  net::Netlink& links = tools.host.host_links();
  const auto lock = lock_ports();
  const auto bridge = find_idle_bridge(links, name);
  if (!bridge) return;
  net::Batch batch(links);
  net::remove_addr(batch, bridge->index, bridge->name, *address, true);
  batch.commit();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void undo_one_file(const Undo& record, const ReplayTools&) {
  const std::string& path = field(record, "path");
  const auto content = sys::read_file(path);
  if (!content) return;
  const std::string_view found = trimmed(*content);
  // Empty: made, but killed before it was written.
  if (found.empty() || found == trimmed(field(record, "content"))) sys::remove_file(path);
}

void undo_one_delegate(const Undo& record, const ReplayTools& tools) {
  tools.run_delegate(field(record, "type"), field(record, "program"), field(record, "request"));
}

constexpr std::string_view kNft = "nft";  // all at once, see replay()

struct Way {
  std::string_view type;
  void (*undo)(const Undo&, const ReplayTools&);
};

constexpr std::array kWays = {
    Way{"veth", &undo_one_veth},
    Way{"bridge", &undo_one_bridge},
    Way{"shared-address", &undo_one_shared_address},
    Way{"file", &undo_one_file},
    Way{"delegate", &undo_one_delegate},
};

void undo_one(const Undo& record, const ReplayTools& tools) {
  const auto way = std::find_if(kWays.begin(), kWays.end(),
                                [&](const Way& known) { return known.type == record.type; });
  if (way == kWays.end() || record.version > kKnownVersion) {
    throw Error(
        Code::internal,
        fmt::format("undo record \"{}\" of version {} is not known", record.type, record.version),
        "a newer unicni wrote it: let that one run DEL");
  }
  way->undo(record, tools);
}

net::NftElement element_of(const Undo& record) {
  return {field(record, "set"), field(record, "key"), field(record, "key_end"),
          field(record, "owner")};
}

}  // namespace

std::vector<Error> replay(const std::vector<Undo>& records, Why why, const ReplayTools& tools) {
  std::vector<Error> errors;
  const auto attempt = [&](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      errors.push_back(error);
    } catch (const std::exception& error) {
      errors.emplace_back(Code::internal, fmt::format("undo: {}", error.what()));
    }
  };
  const auto applies = [&](const Undo& record) {
    return why == Why::failed_add || !record.on_failure_only;
  };
  const auto is_nft = [](const Undo& record) {
    return record.type == kNft && record.version <= kKnownVersion;
  };

  // First of all, so that the kernel's grace period for them runs while the links go: after a
  // deletion from nftables the socket's close waits 8 to 15 ms, which a link deletion in between
  // hides.
  std::vector<net::NftElement> elements;
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (!is_nft(*record) || !applies(*record)) continue;
    attempt([&] { elements.push_back(element_of(*record)); });
  }
  if (!elements.empty()) attempt([&] { tools.host.nft().remove(elements); });

  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (is_nft(*record) || !applies(*record)) continue;
    attempt([&] { undo_one(*record, tools); });
  }
  return errors;
}

}  // namespace unicni::journal
