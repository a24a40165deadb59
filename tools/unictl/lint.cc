// unictl lint: what is wrong in chains, policies and lists of plugins, before a runtime reads them.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "app/application.h"
#include "base/config_error.h"
#include "base/given_file.h"
#include "chain/chain.h"
#include "compile/compile.h"
#include "document/chain.h"
#include "document/plugin.h"
#include "document/policy.h"
#include "document/source.h"
#include "place.h"
#include "policy/glob.h"
#include "protocol/netconf.h"
#include "protocol/network_folder.h"
#include "protocol/network_list.h"
#include "rehearsal.h"
#include "type_look.h"
#include "unicni/error.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

using app::Cell;
using app::Tone;
using document::Document;
using document::Finding;
using document::FindingKind;

const app::TableShape& table() {
  static const app::TableShape shape{"findings",
                                     nullptr,
                                     app::Form::rows,
                                     {{"file", "FILE", "string", "the file"},
                                      {"line", "LINE", "integer", "from 1"},
                                      {"column", "COLUMN", "integer", "from 1, in characters"},
                                      {"severity", "SEVERITY", "string", "error or warning"},
                                      {"text", "TEXT", "string", "begins with the key"},
                                      {"details", nullptr, "string or null", "what is allowed"}}};
  return shape;
}

bool is_policy(const Document& document) {
  return document.root->find("rules") != nullptr || document.root->find("modules") != nullptr;
}

bool is_chain_file(const Document& document) {
  return std::filesystem::path(document.file).extension() == ".yaml";
}

bool is_list_file(const Document& document) { return document.file.ends_with(".conflist"); }

/// The plugin's object in the file; the document itself if it is one.
const document::Node& node_of(const document::Node& list, std::size_t index) {
  const document::Child* plugins = list.find("plugins");
  if (plugins == nullptr || index >= plugins->node->children.size()) return list;
  return *plugins->node->children[index].node;
}

/// Of the key with which a text begins, as "ipam.type: …".
std::optional<document::Position> find_place(const document::Node& plugin, std::string_view text) {
  std::string_view path = text.substr(0, text.find(':'));
  const document::Node* node = &plugin;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const document::Child* child = document::find_field(*node, path.substr(0, dot));
    if (child == nullptr) return std::nullopt;
    node = child->node.get();
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node->position;
}

/// A refusal begins with a key, or with the type and a key; else it is where the object begins.
document::Position place_of(const document::Node& plugin, std::string_view refusal) {
  const auto colon = refusal.find(": ");
  if (colon != std::string_view::npos) {
    if (const auto place = find_place(plugin, refusal.substr(colon + 2))) return *place;
  }
  return find_place(plugin, refusal).value_or(plugin.position);
}

/// The runtime may bring what is missing.
bool uses_capabilities(const document::Node& plugin) {
  return document::find_field(plugin, "capabilities") != nullptr;
}

/// A chain has the name of its file, a list the name that it says.
std::string name_of(const Document& document) {
  const std::filesystem::path path = document.file;
  if (path.extension() == ".yaml") return path.stem();
  const document::Child* name = document.root->find("name");
  return name == nullptr ? std::string() : name->node->text;
}

bool has_wrong_value(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.kind == FindingKind::wrong_value;
  });
}

class Lint final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operands(files_, "FILE", "A chain, a policy or a .conflist");
    place_.declare(options);
  }

  app::ExitStatus run(app::Output& output) override {
    report_.add_table(table());
    const module::Locations where = place_.locations();
    std::vector<std::string> warnings;
    const auto installed = compile::installed_types(where, warnings);
    for (const std::string& text : warnings) output.warn(text);
    for (const std::string& file : files_) lint(file, installed, where);
    look_at_additions();
    if (has_findings_ || output.is_json()) output.put(report_);
    return has_errors_ ? app::ExitStatus::failed : app::ExitStatus::done;
  }

 private:
  using Types = std::vector<document::TypeOptions>;
  struct Network {
    std::string name;
    std::string file;
  };

  void lint(const std::string& file, const Types& installed, const module::Locations& where) {
    look_at(file, [&] {
      const auto text = read_given_file(file, document::kFileLimit);
      if (!text) throw Error(Code::invalid_config, fmt::format("there is no file {}", file));
      const Document document = document::read(*text, file);
      look_at_name(document);
      if (is_policy(document)) {
        // What keeps an ADD from working is an error, and a misspelt key does.
        document::TypedPolicy policy = document::type_policy(document, installed);
        add(file, policy.findings);
        add(file, look_at_types(document, installed, where));
        policies_.push_back(std::move(policy.policy));
        return;
      }
      const auto types = compile::types_of(document, installed, where);
      const bool is_plugin = document::is_single_plugin(document);
      const std::string name = name_of(document);
      const document::TypedChain chain = is_plugin ? document::type_plugin(document, types)
                                                   : document::type_chain(document, name, types);
      add(file, chain.findings);
      add(file, look_at_types(document, types, where));
      if (!has_wrong_value(chain.findings)) {
        protocol::NetworkList list = is_plugin ? protocol::parse_plugin(chain.json, file)
                                               : protocol::parse_list(chain.json, file);
        look_at_wrappers(document, list, installed, where);
        if (is_list_file(document)) protocol::add_drop_ins_of(list, file);
        look_at_add(document, list, chain.findings, installed, where);
        if (is_called_alone(document, list)) alone_.push_back({name, file});
      }
    });
  }

  /// What keeps `look` from looking further is a finding of the file.
  template <class Look>
  void look_at(const std::string& file, const Look& look) {
    try {
      look();
    } catch (const document::Refusal& refusal) {
      std::string what = refusal.msg();
      const std::string place = document::place(file, refusal.position()) + ": ";
      if (what.starts_with(place)) what.erase(0, place.size());
      add(file, refusal.position(), true, what, refusal.details());
    } catch (const Error& error) {
      add(file, {}, true, error.msg(), error.details());
    }
  }

  /// Who gives a file a name that nobody looks for, believes that it is in force.
  void look_at_name(const Document& document) {
    const Folders folders = place_.folders();
    if (is_hidden(document.file) &&
        (is_in(document.file, folders.policies()) || is_in(document.file, folders.chains()))) {
      return add(document.file, document.root->position, true,
                 "nobody reads a file whose name begins with a dot", "name it without the dot");
    }
    if (is_chain_file(document)) return;
    if (is_policy(document)) {
      if (!document::is_nearly_policy(document.file) && !is_in(document.file, folders.policies())) {
        return;
      }
      return add(document.file, document.root->position, true, "nobody reads a policy of this name",
                 fmt::format("policies are the files {}/NAME.yaml", folders.policies()));
    }
    if (!document::is_nearly_chain(document.file) && !is_in(document.file, folders.chains())) {
      return;
    }
    add(document.file, document.root->position, true, "nobody reads a chain of this name",
        fmt::format("a chain is the file {}/NAME.yaml", folders.chains()));
  }

  static bool is_hidden(const std::string& file) {
    return std::filesystem::path(file).filename().string().starts_with('.');
  }

  static bool is_in(const std::string& file, const std::string& folder) {
    std::error_code none;
    const auto parent = std::filesystem::absolute(file).parent_path();
    return std::filesystem::equivalent(parent, folder, none);
  }

  /// A .conflist without type unicni: the runtime calls each of its plugins by itself.
  static bool is_called_alone(const Document& document, const protocol::NetworkList& list) {
    if (is_chain_file(document)) return false;
    if (document::is_single_plugin(document)) return document.root->find("plugins") == nullptr;
    return !list.members.empty() &&
           std::none_of(list.members.begin(), list.members.end(),
                        [](const auto& member) { return member.type == chain::kChainType; });
  }

  /// What a rule adds needs a list in one process; of the networks among the files it is known
  /// whether they have one.
  void look_at_additions() {
    for (const policy::Policy& policy : policies_) {
      for (const policy::Rule& rule : policy.rules) {
        for (const auto* additions : {&rule.prepended, &rule.appended}) {
          if (additions->empty()) continue;
          for (const Network& network : alone_) look_at_addition(rule, additions->front(), network);
        }
      }
    }
  }

  void look_at_addition(const policy::Rule& rule, const policy::Addition& addition,
                        const Network& network) {
    if (rule.match.network && !policy::matches_any(*rule.match.network, network.name)) return;
    add(addition.place.file, {addition.place.line, addition.place.column}, true,
        fmt::format("nothing can be added to network {}, whose plugins are called alone ({})",
                    network.name, network.file),
        "make it a list of type unicni, or name in \"match\" the networks that are one");
  }

  /// libcni sends of runtimeConfig only what the wrapper declares.
  void look_at_wrappers(const Document& document, const protocol::NetworkList& list,
                        const Types& installed, const module::Locations& where) {
    for (std::size_t i = 0; i < list.members.size(); ++i) {
      if (list.members[i].type != chain::kChainType) continue;
      const document::Node& plugin =
          document::is_single_plugin(document) ? *document.root : node_of(*document.root, i);
      const document::Child* chain = document::find_field(plugin, "chain");
      if (chain == nullptr) continue;
      try {
        // As an ADD reads it: a name that a chain may have, and no plugins beside it.
        if (!protocol::Netconf::parse(list.members[i].text).chain()) continue;
        look_at_wrapper(document.file, plugin, *chain->node, installed, where);
      } catch (const Error& error) {
        add(document.file, chain->node->position, true, error.msg(), error.details());
      }
    }
  }

  void look_at_wrapper(const std::string& file, const document::Node& plugin,
                       const document::Node& name, const Types& installed,
                       const module::Locations& where) {
    const Document chain = document::read_chain_file(place_.folders().chains(), name.text);
    const protocol::NetworkList list =
        document::read_chain(chain, name.text, compile::types_of(chain, installed, where));
    const document::Child* declared = plugin.find("capabilities");
    for (const std::string& capability : protocol::enabled_capabilities(list)) {
      const document::Child* own = declared == nullptr ? nullptr : declared->node->find(capability);
      if (own != nullptr && own->node->text == "true") continue;
      add(file, name.position, false,
          fmt::format("chain {} uses the capability {}, which isn't declared here", name.text,
                      capability),
          fmt::format("unictl render --wrapper {} prints the wrapper with all of them", name.text));
    }
  }

  /// What an ADD would refuse before it changes anything. Of chains, in their own files.
  void look_at_add(const Document& document, const protocol::NetworkList& list,
                   const std::vector<Finding>& findings, const Types& installed,
                   const module::Locations& where) {
    const bool is_chain = is_chain_file(document);
    const Folders folders = place_.folders();
    protocol::Environment environment;
    environment.command = Command::add;
    environment.container_id = "lint";
    environment.if_name = "eth0";
    Rehearsal rehearsal(folders, where, environment, [](const std::string&) {});
    for (const PluginCall& call : calls_of(list, is_chain ? document.file : "", "")) {
      if (!is_chain && is_drop_in(list, call.index)) {
        const std::string& file = list.members[call.index].source;
        look_at(file, [&] { look_at_drop_in(document, rehearsal, call, file, installed, where); });
        continue;
      }
      const document::Node& own = document::is_single_plugin(document)
                                      ? *document.root
                                      : node_of(*document.root, call.index);
      if (!is_chain && document::find_field(own, "chain") != nullptr) continue;
      try {
        for (const RehearsedMember& each : rehearsal.run(call, nullptr)) {
          const std::size_t index = each.member.ordinal.value_or(0);
          const document::Node& member = is_chain         ? node_of(*document.root, index)
                                         : call.is_list() ? node_of(own, index)
                                                          : own;
          const document::Child* delegate =
              each.is_delegate ? document::find_field(member, "delegate") : nullptr;
          const document::Node& plugin = delegate == nullptr ? member : *delegate->node;
          if (each.refusal && !is_told(plugin, findings, each.member, where)) {
            add_refusal(document, document.file, plugin, *each.refusal);
          }
        }
      } catch (const Error& error) {
        add_refusal(document, document.file, is_chain ? nested_in(*document.root) : own, error);
      }
    }
  }

  static bool is_drop_in(const protocol::NetworkList& list, std::size_t index) {
    return index < list.members.size() && list.members[index].source.ends_with(".conf");
  }

  /// A plugin of the list that is a file of its own.
  void look_at_drop_in(const Document& list, Rehearsal& rehearsal, const PluginCall& call,
                       const std::string& file, const Types& installed,
                       const module::Locations& where) {
    const auto text = read_given_file(file, document::kFileLimit);
    if (!text) return;
    const Document plugin = document::read(*text, file);
    const auto types = compile::types_of(plugin, installed, where);
    const document::TypedChain typed = document::type_plugin(plugin, types);
    add(file, typed.findings);
    add(file, look_at_types(plugin, types, where));
    if (has_wrong_value(typed.findings)) return;
    for (const RehearsedMember& each : rehearsal.run(call, nullptr)) {
      if (each.refusal && !is_told(*plugin.root, typed.findings, each.member, where)) {
        add_refusal(list, file, *plugin.root, *each.refusal);
      }
    }
  }

  /// The list's, so that all its plugins refuse it alike.
  void add_version(const Document& document, const Error& refusal) {
    if (document.file == file_of_version_) return;
    file_of_version_ = document.file;
    const document::Child* version = document.root->find("cniVersions");
    if (version == nullptr) version = document.root->find("cniVersion");
    add(document.file, version == nullptr ? document.root->position : version->node->position, true,
        fmt::format("cniVersion: ADD would fail with code {}: {}", refusal.code(), refusal.msg()),
        refusal.details());
  }

  void add_refusal(const Document& document, const std::string& file, const document::Node& plugin,
                   const Error& refusal) {
    if (!is_of_config(refusal)) return;
    if (refusal.is(Code::incompatible_version)) return add_version(document, refusal);
    add(file, place_of(plugin, refusal.msg()), !uses_capabilities(plugin),
        fmt::format("ADD would fail with code {}: {}", refusal.code(), refusal.msg()),
        refusal.details());
  }

  /// What is missing has a finding, and so has a type that nobody has.
  static bool is_told(const document::Node& plugin, const std::vector<Finding>& findings,
                      const chain::Member& member, const module::Locations& where) {
    const std::string ipam = member.netconf.ipam_type();
    if (!is_served(member.type, where) || (!ipam.empty() && !is_served(ipam, where))) return true;
    const document::Child* own = document::find_field(plugin, "ipam");
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      return finding.kind == FindingKind::missing_key &&
             (finding.position == plugin.position ||
              (own != nullptr && finding.position == own->node->position));
    });
  }

  /// The first list in the list.
  static const document::Node& nested_in(const document::Node& list) {
    const document::Child* plugins = list.find("plugins");
    if (plugins == nullptr) return list;
    for (const document::Child& plugin : plugins->node->children) {
      const document::Child* type = document::find_field(*plugin.node, "type");
      if (type != nullptr && type->node->text == chain::kChainType) return *plugin.node;
    }
    return list;
  }

  /// In a chain a key that nobody knows is an error for a linter, and a warning at run time.
  void add(const std::string& file, const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
      const bool is_error = finding.kind == FindingKind::wrong_value ||
                            finding.kind == FindingKind::unknown_key ||
                            finding.kind == FindingKind::never_holds;
      add(file, finding.position, is_error, finding.text, finding.details);
    }
  }

  void add(const std::string& file, document::Position position, bool is_error,
           const std::string& text, const std::string& details) {
    has_findings_ = true;
    has_errors_ = has_errors_ || is_error;
    report_.add_row(
        {Cell::text(file), Cell::number(static_cast<std::int64_t>(position.line)),
         Cell::number(static_cast<std::int64_t>(position.column)),
         Cell::text(is_error ? "error" : "warning", is_error ? Tone::bad : Tone::plain),
         Cell::text(details.empty() ? text : fmt::format("{}; {}", text, details), text),
         details.empty() ? Cell() : Cell::text(details)});
  }

  PlaceOptions place_;
  std::vector<std::string> files_;
  app::Report report_;
  std::vector<policy::Policy> policies_;
  std::vector<Network> alone_;
  std::string file_of_version_;  ///< of which its version was told
  bool has_findings_ = false;
  bool has_errors_ = false;
};

}  // namespace

app::VerbText lint_verb() {
  return {
      "lint",
      "Look for what is wrong in chains, policies and lists of plugins",
      "Each file is a policy (with \"rules\" or \"modules\"), else a chain, a .conflist or a .conf "
      "of one plugin, in YAML, JSON or JSON with comments. Options are judged by the installed "
      "modules; those of "
      "other makers' plugins nobody knows. A type that is no module's and no file's in "
      "CNI_PATH is a warning, and an error if CNI_PATH is set. What any ADD would refuse before "
      "it changes anything is an error; a warning if the runtime may bring what is missing. What a "
      "rule adds to a .conflist "
      "among the files, whose plugins are called alone, is an error, and so is a rule's pattern or "
      "limit that can never hold. A chain of the name NAME is the file NAME.yaml, and a policy is "
      "one of that ending too; of another name nobody reads it. Plugins of a .conflist that are "
      "files of their own, in the folder of its name, are looked at with it.\n"
      "The status is 1 if there is an error.",
      "unictl lint /etc/unicni/chains/*.yaml /etc/unicni/policy.d/*.yaml\n"
      "unictl lint --json /etc/cni/net.d/10-web.conflist | jq -r '.findings[].text'",
      {&table()},
      [] { return std::unique_ptr<app::Verb>(std::make_unique<Lint>()); }};
}

}  // namespace unicni::unictl
