// "link-settings": what the settings of the container's interface were. Fields that the record
// lacks were not changed.
#include "unicni/undo/link_settings.h"

#include <fmt/core.h>

#include <utility>

#include "undo/container_side.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/mac.h"

namespace unicni {

Undo undo_link_settings(const net::Link& link, const net::LinkChange& before) {
  Undo record{
      "link-settings", 1, false, {{"link", link.name}, {"index", std::to_string(link.index)}}};
  const auto put = [&](const char* key, std::string value) {
    record.fields.emplace_back(key, std::move(value));
  };
  if (before.mac) put("mac", before.mac->str());
  if (before.mtu) put("mtu", std::to_string(*before.mtu));
  if (before.promisc) put("promisc", *before.promisc ? "1" : "0");
  if (before.allmulti) put("allmulti", *before.allmulti ? "1" : "0");
  if (before.tx_queue_len) put("tx_queue_len", std::to_string(*before.tx_queue_len));
  return record;
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// What the settings were.
net::LinkChange before_of(const Undo& record) {
  net::LinkChange before{.promisc = find_flag(record, "promisc"),
                         .allmulti = find_flag(record, "allmulti"),
                         .mtu = find_number(record, "mtu"),
                         .tx_queue_len = find_number(record, "tx_queue_len")};
  if (const std::string_view text = optional_field(record, "mac"); !text.empty()) {
    before.mac = Mac::parse(text);
    if (!before.mac) refuse_field(record, "mac");
  }
  return before;
}

Found find(const Undo& record, Undoing& undoing) {
  const net::LinkChange before = before_of(record);
  return find_on_container_link(record, undoing, [&](const net::Link& now) {
    return now.mac != before.mac.value_or(now.mac) || now.mtu != before.mtu.value_or(now.mtu) ||
           now.promisc != before.promisc.value_or(now.promisc) ||
           now.allmulti != before.allmulti.value_or(now.allmulti) ||
           now.tx_queue_len != before.tx_queue_len.value_or(now.tx_queue_len);
  });
}

void act(const Undo& record, const net::Link& link, Undoing& undoing) {
  net::Batch batch(undoing.host.container_links());
  // A message each, so that one that the link refuses leaves the others.
  const auto restore = [&](const net::LinkChange& change) {
    net::change_link(batch, link, change);
  };
  const net::LinkChange before = before_of(record);
  if (before.mtu) restore({.mtu = before.mtu});
  if (before.mac) restore({.mac = before.mac});
  if (before.promisc) restore({.promisc = before.promisc});
  if (before.allmulti) restore({.allmulti = before.allmulti});
  if (before.tx_queue_len) restore({.tx_queue_len = before.tx_queue_len});
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("settings of {} in the container", field(record, "link"));
}

}  // namespace

const UndoKind kLinkSettingsKind = {"link-settings", Turn::objects, &find,
                                    &undo_by<look_at_container_link, act>, &describe};

}  // namespace unicni::undo
