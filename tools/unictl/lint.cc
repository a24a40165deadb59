// unictl lint: what is wrong in chains, policies and lists of plugins, before a runtime reads them.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/application.h"
#include "compile/compile.h"
#include "document/chain.h"
#include "document/policy.h"
#include "document/source.h"
#include "place.h"
#include "policy/glob.h"
#include "protocol/network_list.h"
#include "type_look.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
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

/// A chain has the name of its file, a list the name that it says.
std::string name_of(const Document& document) {
  const std::filesystem::path path = document.file;
  if (path.extension() == ".yaml") return path.stem();
  const document::Child* name = document.root->find("name");
  return name == nullptr ? std::string() : name->node->text;
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
    try {
      const auto text = sys::read_file(file, document::kFileLimit + 1);
      if (!text) throw Error(Code::invalid_config, fmt::format("there is no file {}", file));
      const Document document = document::read(*text, file);
      if (is_policy(document)) {
        // What keeps an ADD from working is an error, and a misspelt key does.
        document::TypedPolicy policy = document::type_policy(document, installed);
        add(file, policy.findings);
        add(file, look_at_types(document, installed, where));
        policies_.push_back(std::move(policy.policy));
        return;
      }
      const auto types = compile::types_of(document, installed, where);
      const std::string name = name_of(document);
      const document::TypedChain chain = document::type_chain(document, name, types);
      add(file, chain.findings);
      const bool is_wrong = std::any_of(
          chain.findings.begin(), chain.findings.end(),
          [](const Finding& finding) { return finding.kind == FindingKind::wrong_value; });
      add(file, look_at_types(document, types, where));
      if (!is_wrong) look_at_wrappers(document, installed, where);
      if (is_called_alone(document)) alone_.push_back({name, file});
    } catch (const document::Refusal& refusal) {
      std::string what = refusal.msg();
      const std::string place = document::place(file, refusal.position()) + ": ";
      if (what.starts_with(place)) what.erase(0, place.size());
      add(file, refusal.position(), true, what, refusal.details());
    } catch (const Error& error) {
      add(file, {}, true, error.msg(), error.details());
    }
  }

  /// A .conflist without type unicni: the runtime calls each of its plugins by itself.
  static bool is_called_alone(const Document& document) {
    const document::Child* plugins = document.root->find("plugins");
    if (plugins == nullptr || std::filesystem::path(document.file).extension() == ".yaml") {
      return false;
    }
    return std::none_of(plugins->node->children.begin(), plugins->node->children.end(),
                        [](const document::Child& plugin) {
                          const document::Child* type = plugin.node->find("type");
                          return type != nullptr && type->node->text == "unicni";
                        });
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
  void look_at_wrappers(const Document& document, const Types& installed,
                        const module::Locations& where) {
    const document::Child* plugins = document.root->find("plugins");
    if (plugins == nullptr) return;
    for (const document::Child& plugin : plugins->node->children) {
      const document::Child* chain = plugin.node->find("chain");
      const document::Child* type = plugin.node->find("type");
      if (chain == nullptr || type == nullptr || type->node->text != "unicni") continue;
      try {
        look_at_wrapper(document.file, *plugin.node, *chain->node, installed, where);
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

  /// In a chain a key that nobody knows is an error for a linter, and a warning at run time.
  void add(const std::string& file, const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
      const bool is_error =
          finding.kind == FindingKind::wrong_value || finding.kind == FindingKind::unknown_key;
      add(file, finding.position, is_error, finding.text, finding.details);
    }
  }

  void add(const std::string& file, document::Position position, bool is_error,
           const std::string& text, const std::string& details) {
    has_findings_ = true;
    has_errors_ = has_errors_ || is_error;
    report_.add_row({Cell::text(file), Cell::number(static_cast<std::int64_t>(position.line)),
                     Cell::number(static_cast<std::int64_t>(position.column)),
                     Cell::text(is_error ? "error" : "warning", is_error ? Tone::bad : Tone::plain),
                     Cell::text(text), details.empty() ? Cell() : Cell::text(details)});
  }

  PlaceOptions place_;
  std::vector<std::string> files_;
  app::Report report_;
  std::vector<policy::Policy> policies_;
  std::vector<Network> alone_;
  bool has_findings_ = false;
  bool has_errors_ = false;
};

}  // namespace

app::VerbText lint_verb() {
  return {"lint",
          "Look for what is wrong in chains, policies and lists of plugins",
          "Each file is a policy (with \"rules\" or \"modules\"), else a chain or a .conflist, in "
          "YAML, JSON or JSON with comments. Options are judged by the installed modules; those of "
          "other makers' plugins nobody knows. A type that is no module's and no file's in "
          "CNI_PATH is a warning, and an error if CNI_PATH is set. What a rule adds to a .conflist "
          "among the files, whose plugins are called alone, is an error. A chain of the name NAME "
          "is the file NAME.yaml.\n"
          "The status is 1 if there is an error.",
          "unictl lint /etc/unicni/chains/*.yaml /etc/unicni/policy.d/*.yaml\n"
          "unictl lint --json /etc/cni/net.d/10-web.conflist | jq -r '.findings[].text'",
          {&table()},
          [] { return std::unique_ptr<app::Verb>(std::make_unique<Lint>()); }};
}

}  // namespace unicni::unictl
