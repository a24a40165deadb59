#include "chain/rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "chain/chain.h"
#include "module/registry.h"
#include "policy/rates.h"
#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/net/link.h"
#include "unicni/parent_link.h"

namespace unicni::chain {

/// What serves a type, and what kind of plugin it is. A program is what the module of its name is:
/// those of the reference, and their like, are configured alike.
struct Rules::Served {
  policy::Server server;
  const ModuleDescriptor* module = nullptr;  ///< nullptr: nobody knows

  [[nodiscard]] bool is(ModuleKind kind) const { return module != nullptr && module->kind == kind; }
  [[nodiscard]] bool has(Trait trait) const {
    return module != nullptr && has_trait(module->traits, trait);
  }
};

namespace {

std::string sources_of(const policy::Member& member) {
  std::string text;
  for (const policy::Change& change : member.changes) {
    text += (text.empty() ? "" : "; ") + change.str();
  }
  return text;
}

void add_source(Member& member, const std::string& source) {
  if (source.empty()) return;
  member.origin.source += (member.origin.source.empty() ? "" : "; ") + source;
}

}  // namespace

Rules::Rules(const Request& request, VerbHost& host, policy::Policy policy)
    : request_(request), host_(host), policy_(std::move(policy)) {}

/// Modules are opened here that a step opens anyway; the second time they are there.
Rules::Served Rules::served(const std::string& type, bool direct) const {
  const module::Found found =
      direct ? module::get_named(type, request_.where) : module::find_type(type, request_.where);
  const auto descriptor = [&](const module::Found& of) {
    return &request_.modules.load(of, request_.where.executable).descriptor();
  };
  if (!found.module_path.empty()) {
    const ModuleDescriptor* module = descriptor(found);
    return {{type, found.module, false, module->options}, module};
  }
  const auto twin = module::find_named(type, request_.where);
  if (!twin || twin->module != type) return {{type, type, true, nullptr}};
  try {
    const ModuleDescriptor* module = descriptor(*twin);
    return {{type, type, true, module->options}, module};
  } catch (const Error&) {
    return {{type, type, true, nullptr}};
  }
}

policy::Server Rules::ipam_server(const std::string& type, bool is_of_program) const {
  if (type.empty()) return {};
  try {
    return served(type, false).server;
  } catch (const Error&) {
    if (!is_of_program) throw;
    return {type, type, true, nullptr};  // the program's own business
  }
}

policy::Member Rules::look_at(const std::string& type, const protocol::Netconf& netconf,
                              bool direct, bool may_attach) const {
  const Served plugin = served(type, direct);
  policy::Member member{plugin.server};
  member.config = netconf.text();
  member.is_ipam = plugin.is(ModuleKind::ipam);
  const bool delegates = plugin.has(Trait::delegates);
  if (!member.is_ipam && !delegates) {
    member.ipam = ipam_server(netconf.ipam_type(), plugin.server.is_program);
  }
  // The reference's loopback, and ours, find the interface there already.
  member.attaches = plugin.module == nullptr
                        ? may_attach
                        : plugin.is(ModuleKind::link) && !plugin.has(Trait::stateless);
  member.makes_interface = member.attaches && !delegates;
  return member;
}

/// An IPAM that is called by its own name keeps no journal, so its DEL would not know what a rule
/// had made of its ADD.
void Rules::change(std::vector<policy::Member>& ruled, bool direct) {
  if (!direct || !ruled.front().is_ipam) return ruling_->change(ruled);
  std::vector<policy::Member> tried = ruled;
  ruling_->change(tried);
  for (const policy::Change& change : tried.front().changes) {
    host_.log(LogLevel::warning,
              fmt::format("{} is passed over: nothing is set of an IPAM that is called alone",
                          change.str()));
  }
}

/// As a member of the request's list: with its name, version, and what the runtime sent for the
/// capabilities that it declares.
Member Rules::make_added(const policy::Ruling::Added& added, std::size_t ordinal) const {
  protocol::Netconf netconf =
      std::move(request_.netconf.with_plugins('[' + added.addition->json + ']').members().front());
  const std::string type = netconf.type();
  module::require_valid_type(type);
  if (type == kChainType) {
    throw Error(Code::policy_unreadable, fmt::format("{}: a list can't be added to a list",
                                                     added.rule->title(added.addition->place)));
  }
  return {type, std::move(netconf), ordinal};
}

/// Ordinals of the members that were asked for stay theirs, so that DEL and CHECK find their steps.
void Rules::put_added(std::vector<Member>& members, std::vector<policy::Member>& ruled) {
  std::size_t ordinal = members.size();
  const auto make = [&](const std::vector<policy::Ruling::Added>& all, std::vector<Member>& to,
                        std::vector<policy::Member>& to_ruled) {
    for (const policy::Ruling::Added& each : all) {
      to.push_back(make_added(each, ordinal++));
      to_ruled.push_back(look_at(to.back().type, to.back().netconf, false, false));
      to_ruled.back().changes.push_back(each.change(to.back().type));
    }
  };
  std::vector<Member> all;
  std::vector<policy::Member> all_ruled;
  make(ruling_->prepended(), all, all_ruled);
  std::move(members.begin(), members.end(), std::back_inserter(all));
  std::move(ruled.begin(), ruled.end(), std::back_inserter(all_ruled));
  make(ruling_->appended(), all, all_ruled);
  members = std::move(all);
  ruled = std::move(all_ruled);
  ruling_->require_modules(ruled);
  policy::keep_lowest_rates(ruled);
}

void Rules::warn_of_added() const {
  for (const auto* all : {"prepend", "append"}) {
    const bool is_first = std::string_view(all) == "prepend";
    for (const policy::Ruling::Added& each :
         is_first ? ruling_->prepended() : ruling_->appended()) {
      host_.log(
          LogLevel::warning,
          fmt::format("{}: nothing can be added to a plugin that is called alone: call the whole "
                      "list as type unicni",
                      each.rule->title(each.addition->place)));
    }
  }
}

/// Only where a rule asks, as it costs a question to the kernel.
void Rules::find_host_links() {
  if (!ruling_->asks_host_links()) return;
  try {
    facts_.default_link = get_parent(host_, ParentChoice{}).name;
  } catch (const Error&) {
    facts_.default_link.reset();
  }
  facts_.link_mtu = [this](const std::string& name) -> std::optional<std::uint32_t> {
    const auto link = net::find_link(host_.host_links(), name);
    return link ? std::optional(link->mtu) : std::nullopt;
  };
}

void Rules::apply(std::vector<Member>& members, bool direct) {
  std::vector<policy::Member> ruled;
  std::vector<std::string_view> configs{request_.netconf.text()};
  for (const Member& member : members) {
    // A program that nobody knows makes the interface, unless one before it has.
    const bool may_attach = std::none_of(ruled.begin(), ruled.end(),
                                         [](const policy::Member& each) { return each.attaches; });
    ruled.push_back(look_at(member.type, member.netconf, direct, may_attach));
    const policy::Fields config(ruled.back().config);
    ruled.back().is_chained = ruled.size() > 1 || config.find("prevResult") != nullptr;
    configs.emplace_back(member.netconf.text());
  }
  facts_ = policy::make_facts(request_.netconf.name(), request_.environment.if_name,
                              request_.environment.args, configs);
  ruling_.emplace(policy_, facts_, ruled);
  change(ruled, direct);
  if (members.front().ordinal) {
    put_added(members, ruled);
  } else {
    warn_of_added();
  }
  find_host_links();
  ruling_->require(ruled, true);
  for (std::size_t i = 0; i < members.size(); ++i) {
    add_source(members[i], sources_of(ruled[i]));
    if (ruled[i].config == members[i].netconf.text()) continue;
    members[i].origin.asked = members[i].netconf.text();
    members[i].netconf = members[i].netconf.with_text(std::move(ruled[i].config));
  }
}

std::optional<Rules::RuledDelegate> Rules::apply_to_delegate(const protocol::Netconf& asked) {
  if (!ruling_) return std::nullopt;
  std::vector<policy::Member> ruled{look_at(asked.type(), asked, false, true)};
  const policy::Ruling ruling(*ruling_, ruled.front());
  ruling.change(ruled);
  ruling.require(ruled, false);
  if (ruled.front().changes.empty()) return std::nullopt;
  std::string source = sources_of(ruled.front());
  return RuledDelegate{protocol::Netconf::parse(std::move(ruled.front().config)),
                       std::move(source)};
}

}  // namespace unicni::chain
