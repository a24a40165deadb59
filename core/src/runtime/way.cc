#include "runtime/way.h"

#include <fmt/core.h>

#include <algorithm>

#include "chain/chain.h"
#include "journal/folder.h"
#include "settings/settings.h"
#include "unicni/error.h"
#include "unicni/folders.h"

namespace unicni::runtime {
namespace {

bool has_list_inside(const protocol::NetworkList& list) {
  return std::any_of(list.members.begin(), list.members.end(),
                     [](const auto& member) { return member.type == chain::kChainType; });
}

bool has_attached_list(const std::string& network) {
  const auto keys = journal::list_keys(Folders().journals(), network);
  return std::any_of(keys.begin(), keys.end(), is_attached_as_list);
}

bool is_ruled(const ListCall& call) {
  const bool has_policies = settings::has_policies(Folders());
  if (has_policies && call.shared.executable.empty()) {
    throw Error(
        call.command == Command::status ? Code::not_available : Code::policy_unreadable,
        "the policies of " + Folders().policies() +
            " can't be applied: the executable unicni isn't there",
        "install the executable unicni into a folder of CNI_PATH, or name it in the options of "
        "the runtime");
  }
  return has_policies;
}

/// Members of other makers that stand beside a list inside the list are called one by one, where no
/// policy sees them.
void require_no_foreign_beside(const ListCall& call) {
  if (!is_ruled(call)) return;
  for (const auto& member : call.list.members) {
    if (member.type == chain::kChainType) continue;
    const module::Found found = module::find_type(member.type, call.shared.where);
    if (found.program.empty()) continue;
    throw Error(Code::policy_violated,
                fmt::format("{} of another maker stands beside a list of type {}, where the "
                            "policies of {} don't reach it",
                            found.program, chain::kChainType, Folders().policies()),
                "move it into that list, or into its chain: there policies bind all plugins");
  }
}

bool is_list(const ListCall& call) {
  switch (call.command) {
    case Command::add:
    case Command::status:
      return is_ruled(call);
    case Command::check:
    case Command::del:
      return is_attached_as_list(call.key);
    case Command::gc:
      return settings::has_policies(Folders()) || has_attached_list(call.list.name);
    case Command::version:
      break;
  }
  return false;
}

}  // namespace

bool is_refusal(const Error& error) {
  return error.is(Code::policy_violated) || error.is(Code::policy_unreadable);
}

bool is_attached_as_list(const AttachmentKey& key) {
  const auto entry = journal::peek(Folders().journals(), key);
  return entry && std::any_of(entry->steps.begin(), entry->steps.end(),
                              [](const auto& step) { return step.ordinal.has_value(); });
}

Way find_way(const ListCall& call, Isolation isolation) {
  if (has_list_inside(call.list)) {
    if (call.command == Command::add) require_no_foreign_beside(call);
    return Way::by_members;
  }
  if (isolation == Isolation::in_process) return Way::in_process;
  return is_list(call) && !call.shared.executable.empty() ? Way::as_list : Way::by_members;
}

}  // namespace unicni::runtime
