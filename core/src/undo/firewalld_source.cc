// "firewalld-source": an address that is a source of a zone. firewalld knows no owners, so who else
// needs the source is asked of the journals of all attachments.
#include "unicni/undo/firewalld_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "undo/kinds.h"
#include "undo/nft_elements.h"
#include "undo/record_fields.h"
#include "unicni/error.h"
#include "unicni/errors.h"

namespace unicni {

Undo undo_firewalld_source(const net::FirewalldSource& source, const std::string& owner) {
  return Undo{kFirewalldSource,
              1,
              false,
              {{"zone", source.zone}, {"address", source.address.str()}, {"owner", owner}}};
}

std::optional<net::FirewalldSource> find_firewalld_source(const Undo& record) {
  if (record.type != kFirewalldSource) return std::nullopt;
  const auto address = IpAddress::parse(undo::optional_field(record, "address"));
  if (!address) return std::nullopt;
  return net::FirewalldSource{std::string(undo::optional_field(record, "zone")), *address};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// firewalld answers one request after the other and may be busy with a reload.
constexpr std::chrono::seconds kPatience{10};

using Announced = std::vector<Attachments::Announced>;

/// A late DEL: the address has been given to another container meanwhile, whose ADD found the
/// source there already.
bool is_held_by_another(const Undo& record, const Announced& announced, Attachments& attachments) {
  const std::string& owner = field(record, "owner");
  return std::any_of(announced.begin(), announced.end(), [&](const auto& each) {
    const Undo& other = each.record;
    return optional_field(other, "zone") == field(record, "zone") &&
           optional_field(other, "address") == field(record, "address") &&
           optional_field(other, "owner") != owner &&
           !attachments.is_gone(std::string(optional_field(other, "owner")));
  });
}

Found find(const Undo& record, Undoing& undoing) {
  const net::FirewalldSource source{field(record, "zone"), get_address(record, "address")};
  auto firewalld = net::Firewalld::find(std::chrono::steady_clock::now() + kPatience);
  if (!firewalld || !firewalld->has_source(source)) return Found::absent;
  Attachments& attachments = undoing.host.attachments();
  const Announced announced = attachments.list_records(kFirewalldSource, Steps::all);
  return is_held_by_another(record, announced, attachments) ? Found::others : Found::ours;
}

void undo_all(const std::vector<Undo>& records, Undoing& undoing) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  auto firewalld = net::Firewalld::find(deadline);
  if (!firewalld) return;
  // No ADD comes between the look and the removal: it holds the lock from its record on.
  Attachments& attachments = undoing.host.attachments();
  const auto lock = attachments.hold_shared_links(sys::LockMode::exclusive, deadline);
  const Announced announced = attachments.list_records(kFirewalldSource, Steps::all);
  Errors errors;
  for (const Undo& record : records) {
    errors.attempt([&] {
      const net::FirewalldSource source{field(record, "zone"), get_address(record, "address")};
      if (!is_held_by_another(record, announced, attachments)) firewalld->remove_source(source);
    });
  }
  errors.finish();
}

std::string describe(const Undo& record) {
  return fmt::format("{} as a source of firewalld's zone {}", field(record, "address"),
                     field(record, "zone"));
}

}  // namespace

const UndoKind kFirewalldSourceKind = {"firewalld-source", Turn::firewalld, &find, &undo_all,
                                       &describe};

}  // namespace unicni::undo
