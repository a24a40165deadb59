#include "undo/container_side.h"

#include <algorithm>
#include <string>
#include <utility>

#include "undo/record_fields.h"

namespace unicni::undo {

/// By name and index. A link that was deleted and made anew has another index, and is not the one
/// that was changed.
FoundLink look_at_container_link(const Undo& record, Undoing& undoing) {
  if (undoing.host.container_netns() == nullptr) return {};
  auto link = net::find_link(undoing.host.container_links(), field(record, "link"));
  if (!link) return {};
  const bool is_ours = find_number<int>(record, "index") == link->index;
  return judge(std::move(link), is_ours);
}

/// Fields that have their usual value are left out, so that journals stay short and records of
/// former versions compare equal.
Undo route_record(const char* type, const std::string& link, const net::RouteEntry& entry) {
  Undo record{type,
              1,
              false,
              {{"link", link},
               {"index", std::to_string(entry.index)},
               {"dst", entry.route.dst.str()},
               {"protocol", std::to_string(entry.protocol)}}};
  const auto put = [&](const char* key, std::string value) {
    record.fields.emplace_back(key, std::move(value));
  };
  if (entry.route.gw) put("gw", entry.route.gw->str());
  if (entry.src) put("src", entry.src->str());
  if (entry.route.table) put("table", std::to_string(*entry.route.table));
  if (entry.route.scope) put("scope", std::to_string(*entry.route.scope));
  if (entry.onlink) put("onlink", "1");
  if (entry.route.priority != 0) put("priority", std::to_string(entry.route.priority));
  if (entry.route.mtu != 0) put("mtu", std::to_string(entry.route.mtu));
  if (entry.route.advmss != 0) put("advmss", std::to_string(entry.route.advmss));
  return record;
}

net::RouteEntry route_of(const Undo& record) {
  net::RouteEntry entry;
  entry.protocol = find_number(record, "protocol").value_or(0);
  entry.src = find_address(record, "src");
  entry.route.dst = get_net(record, "dst");
  entry.route.gw = find_address(record, "gw");
  entry.route.table = find_number(record, "table");
  entry.route.scope = find_number(record, "scope");
  entry.onlink = find_number(record, "onlink").value_or(0) != 0;
  entry.route.priority = find_number(record, "priority").value_or(0);
  entry.route.mtu = find_number(record, "mtu").value_or(0);
  entry.route.advmss = find_number(record, "advmss").value_or(0);
  return entry;
}

/// By destination, gateway and table. The kernel fills in the rest by itself (metric of IPv6,
/// protocol), so a closer comparison would miss the route.
bool has_route(const Undo& record, const net::Link& link, Undoing& undoing) {
  constexpr std::uint32_t kMain = 254;  // RT_TABLE_MAIN
  const net::RouteEntry wanted = route_of(record);
  const auto routes =
      net::list_routes(undoing.host.container_links(), wanted.route.dst.family(), link.index);
  return std::any_of(routes.begin(), routes.end(), [&](const net::RouteEntry& each) {
    return each.route.dst == wanted.route.dst && each.route.gw == wanted.route.gw &&
           each.route.table.value_or(kMain) == wanted.route.table.value_or(kMain);
  });
}

}  // namespace unicni::undo
