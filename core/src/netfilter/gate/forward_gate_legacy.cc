#include "netfilter/gate/forward_gate_legacy.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "netfilter/gate/forward_mark.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/iptables/listing.h"
#include "netfilter/iptables/program.h"
#include "unicni/error.h"
#include "unicni/net/netns.h"
#include "unicni/netfilter/forward_gate.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::net {
namespace {

constexpr const char* kTable = "filter";
constexpr const char* kForward = "FORWARD";
constexpr const char* kDockerUser = "DOCKER-USER";
constexpr Family kFamilies[] = {Family::v4, Family::v6};
constexpr int kTries = 3;  // each fails only if the table was changed meanwhile
constexpr std::chrono::seconds kPatience{10};
constexpr mode_t kNoteMode = 0600;

std::string no_program(Family family) {
  return fmt::format("there is no {}-legacy-restore on this host",
                     family == Family::v4 ? "iptables" : "ip6tables");
}

std::string missing_program(Family family) {
  return fmt::format("the chain {} of {} lacks our accept rule: {}", kForward,
                     family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy",
                     no_program(family));
}

constexpr const char* kInstall =
    "install the package iptables; if nothing uses the legacy tables any more, a reboot removes "
    "them";

/// Debian has iptables-legacy in the package iptables, other distributions leave it out.
bool can_restore(Family family) { return can_restore_tables(family, IptablesFlavour::legacy); }

bool restore(const Services& services, Family family, const std::string& lines,
             std::string& complaint) {
  return restore_table(services, family, IptablesFlavour::legacy, kTable, lines,
                       std::chrono::steady_clock::now() + kPatience, complaint);
}

bool jumps_to(const LegacyRule& rule, const std::string& chain) {
  return rule.plain && rule.target == chain;
}

IptablesWords accept_rule(std::uint32_t mark, const std::string& comment) {
  IptablesWords words{"-m", "mark", "--mark", fmt::format("{0:#x}/{0:#x}", mark)};
  if (!comment.empty()) words.insert(words.end(), {"-m", "comment", "--comment", comment});
  words.insert(words.end(), {"-j", "ACCEPT"});
  return words;
}

/// As the rule was written by us, comment and mark of its time included: iptables-restore deletes
/// by text.
std::string remove_accept(const LegacyRule& rule) {
  return iptables_line("-D", kForwardChain, accept_rule(rule.mark, rule.comment));
}

/// Number of the first rule that leads to `chain`, from 1; 0: none.
std::size_t jump_number(const LegacyChain& from, const std::string& chain) {
  const auto found = std::ranges::find_if(
      from.rules, [&](const LegacyRule& rule) { return jumps_to(rule, chain); });
  return found == from.rules.end() ? 0 : static_cast<std::size_t>(found - from.rules.begin()) + 1;
}

/// Lines for iptables-restore that make what `table` lacks.
std::string missing_lines(const LegacyTable& table, const std::string& admin_chain,
                          const Folders& folders) {
  const auto is_accept = [&](const LegacyRule& rule) {
    return accepts_forward_mark(rule, folders);
  };
  const LegacyChain* forward = table.find(kForward);
  if (forward == nullptr) return {};
  std::string lines;
  const LegacyChain* gate = table.find(kForwardChain);
  // "-N", not ":chain", which would flush one that somebody just made.
  if (table.find(admin_chain) == nullptr) lines += fmt::format("-N {}\n", admin_chain);
  if (gate == nullptr) lines += fmt::format("-N {}\n", kForwardChain);
  std::size_t admin = gate == nullptr ? 0 : jump_number(*gate, admin_chain);
  if (admin == 0) {
    admin = 1;
    lines += fmt::format("-I {} 1 -j {}\n", kForwardChain, admin_chain);
  }
  if (gate == nullptr || std::ranges::none_of(gate->rules, is_accept)) {
    lines += iptables_line("-I", fmt::format("{} {}", kForwardChain, admin + 1),
                           accept_rule(forward_mark(folders), kForwardMarkComment));
  }
  for (const LegacyRule& rule : gate == nullptr ? std::vector<LegacyRule>() : gate->rules) {
    // Ours from the time when the host's setting was another.
    const bool is_stale = accepts_any_forward_mark(rule) && !is_accept(rule);
    if (is_stale) lines += remove_accept(rule);
  }
  if (jump_number(*forward, kForwardChain) == 0) {
    lines += fmt::format("-I {} {} -j {}\n", kForward, jump_number(*forward, kDockerUser) + 1,
                         kForwardChain);
  }
  return lines;
}

/// Whether a packet may end in that chain, or in one that it leads to.
bool may_drop(const LegacyTable& table, const std::string& chain, std::set<std::string>& seen) {
  if (!seen.insert(chain).second) return false;
  const LegacyChain* found = table.find(chain);
  if (found == nullptr) return false;
  return found->ends_with_drop || std::ranges::any_of(found->rules, [&](const LegacyRule& rule) {
           return rule.may_drop || (!rule.target.empty() && may_drop(table, rule.target, seen));
         });
}

/// Unlike nftables, legacy counts no uses: jumps are counted in the whole table.
std::size_t count_rules(const LegacyTable& table,
                        const std::function<bool(const LegacyRule&)>& is) {
  std::size_t count = 0;
  for (const LegacyChain& chain : table.chains) {
    count += static_cast<std::size_t>(std::ranges::count_if(chain.rules, is));
  }
  return count;
}

/// The reference's own rules in CNI-FORWARD keep the chain, an administrator's rules theirs.
std::string removal_lines(const LegacyTable& table, const std::string& admin_chain) {
  const LegacyChain* gate = table.find(kForwardChain);
  const LegacyChain* forward = table.find(kForward);
  if (gate == nullptr || forward == nullptr) return {};
  // A jump with a condition is a foreign one, and keeps the chain.
  const auto to_gate = [](const LegacyRule& rule) { return rule.target == kForwardChain; };
  const auto plainly_to_gate = [](const LegacyRule& rule) { return jumps_to(rule, kForwardChain); };
  const auto to_admin = [&](const LegacyRule& rule) { return rule.target == admin_chain; };
  const auto is_ours = [&](const LegacyRule& rule) {
    return accepts_any_forward_mark(rule) || jumps_to(rule, admin_chain);
  };
  const auto own_jumps = std::ranges::count_if(forward->rules, plainly_to_gate);
  const bool foreign = !std::ranges::all_of(gate->rules, is_ours) ||
                       count_rules(table, to_gate) != static_cast<std::size_t>(own_jumps);
  std::string lines;
  // By their text: by number a foreign program's change could make it a foreign rule.
  for (const LegacyRule& rule : gate->rules) {
    if (accepts_any_forward_mark(rule)) {
      lines += remove_accept(rule);
    } else if (!foreign) {
      lines += fmt::format("-D {} -j {}\n", kForwardChain, admin_chain);
    }
  }
  if (foreign) return lines;
  // More than one where two ADDs without a common lock came together.
  for (auto i = own_jumps; i > 0; --i)
    lines += fmt::format("-D {} -j {}\n", kForward, kForwardChain);
  lines += fmt::format("-X {}\n", kForwardChain);
  const LegacyChain* admin = table.find(admin_chain);
  const auto own_to_admin = std::ranges::count_if(gate->rules, to_admin);
  const bool admin_idle = admin != nullptr && admin->rules.empty() &&
                          count_rules(table, to_admin) == static_cast<std::size_t>(own_to_admin);
  if (admin_idle) lines += fmt::format("-X {}\n", admin_chain);
  return lines;
}

struct Opened {
  std::optional<LegacySize> size;  ///< of the whole table
  std::optional<std::string> closed;
};

/// Legacy has no generations: what is missing is read without a program, and put there by one that
/// reads the table again under /run/xtables.lock. If somebody came between, its lines are refused
/// as a whole, or are no more needed, which the next look says.
Opened open_gate(Family family, const std::string& admin_chain, const Services& services) {
  std::string complaint;
  for (int tries = 0; tries <= kTries; ++tries) {
    const auto table = read_legacy_table(family, kTable);
    if (!table) return {};
    const std::string lines = missing_lines(*table, admin_chain, services.folders);
    if (lines.empty()) return {table->size, std::nullopt};
    if (!can_restore(family)) {
      const LegacyChain* forward = table->find(kForward);
      if (forward->ends_with_drop) throw Error(Code::internal, missing_program(family), kInstall);
      return {std::nullopt, fmt::format("{}; {}", missing_program(family), kInstall)};
    }
    static_cast<void>(restore(services, family, lines, complaint));
  }
  throw Error(Code::internal,
              fmt::format("let attachments through the chain {} of iptables-legacy", kForward),
              complaint);
}

/// What the tables are. A line with the name of each administrator's chain that was seen to be
/// served in them follows: the plugins of a list may have different ones.
std::string note_text(const std::vector<std::optional<LegacySize>>& sizes) {
  const sys::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::string text =
      fmt::format("1 {} {}\n", sys::boot_id(), netns_identity(socket.get(), Netns::current()));
  for (const auto& size : sizes) {
    text += size ? fmt::format("{} {}\n", size->entries, size->bytes) : "-\n";
  }
  return text;
}

/// The sizes are those of the note and this administrator's chain is among those seen. Sizes alone
/// don't prove that nothing changed: repair_legacy_gate() and CHECK read the tables.
bool is_noted(const std::optional<std::string>& note, const std::string& text,
              const std::string& admin_chain) {
  return note && note->starts_with(text) &&
         note->substr(text.size() - 1).find('\n' + admin_chain + '\n') != std::string::npos;
}

/// A hint that only saves time: without it the tables are read.
void write_note(const std::string& note, const std::string& text) {
  try {
    sys::write_file_atomically(note, text, kNoteMode);
  } catch (const Error&) {
  }
}

std::optional<std::string> read_note(const std::string& note) {
  try {
    return sys::read_file(note);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

/// Asking the kernel about a legacy table makes it. Only the list of names tells without that
/// whether there is one.
bool may_have_legacy_gate() {
  return std::ranges::any_of(kFamilies,
                             [](Family family) { return has_legacy_table(family, kTable); });
}

/// The usual ADD: two getsockopt(2) and a small file say that nothing has changed since the gate
/// was last seen.
std::optional<std::string> ensure_legacy_gate(const std::string& admin_chain,
                                              const Services& services) {
  if (!may_have_legacy_gate()) return std::nullopt;
  std::vector<std::optional<LegacySize>> sizes;
  for (const Family family : kFamilies) sizes.push_back(find_legacy_size(family, kTable));
  if (is_noted(read_note(legacy_gate_note(services.folders)), note_text(sizes), admin_chain))
    return std::nullopt;
  return repair_legacy_gate(admin_chain, services);
}

std::optional<std::string> repair_legacy_gate(const std::string& admin_chain,
                                              const Services& services) {
  if (!may_have_legacy_gate()) return std::nullopt;
  std::vector<std::optional<LegacySize>> sizes;
  std::optional<std::string> closed;
  for (const Family family : kFamilies) {
    Opened opened = open_gate(family, admin_chain, services);
    sizes.push_back(opened.size);
    if (opened.closed) closed = std::move(opened.closed);
  }
  if (closed) return closed;
  const std::string text = note_text(sizes);
  const std::string note = legacy_gate_note(services.folders);
  const auto before = read_note(note);
  if (!is_noted(before, text, admin_chain)) {
    const bool same = before && before->starts_with(text);
    write_note(note, (same ? *before : text) + admin_chain + '\n');
  }
  return closed;
}

std::optional<std::string> find_legacy_gate_fault(const std::string& admin_chain,
                                                  const GateNeed& need, const Folders& folders) {
  for (const Family family : need.families) {
    const auto table = read_legacy_table(family, kTable);
    std::set<std::string> seen;
    const auto is_needed = [&] {
      return need.where == GateNeed::Where::always || may_drop(*table, kForward, seen);
    };
    if (table && !missing_lines(*table, admin_chain, folders).empty() && is_needed()) {
      return fmt::format("{}'s chain FORWARD doesn't lead to our accept rule in {}",
                         family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy",
                         kForwardChain);
    }
  }
  return std::nullopt;
}

/// Read and removed again until nothing of ours is found, as each program in between may have
/// changed the table.
bool remove_legacy_gate(const std::string& admin_chain, const Services& services) {
  bool was_there = false;
  for (const Family family : kFamilies) {
    std::string complaint;
    for (int tries = 0;; ++tries) {
      const auto table = read_legacy_table(family, kTable);
      const std::string lines = table ? removal_lines(*table, admin_chain) : std::string();
      if (lines.empty()) break;
      if (!can_restore(family)) {
        throw Error(Code::internal,
                    fmt::format("remove our rules from {} of iptables-legacy: {}", kForward,
                                no_program(family)),
                    kInstall);
      }
      if (tries == kTries) {
        throw Error(Code::internal,
                    fmt::format("remove our rules from {} of iptables-legacy", kForward),
                    complaint);
      }
      if (restore(services, family, lines, complaint)) was_there = true;
    }
  }
  sys::remove_file(legacy_gate_note(services.folders));
  return was_there;
}

}  // namespace unicni::net
