// unictl diff: what differs between two networks, whatever syntax they are written in.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/application.h"
#include "chain/chain.h"
#include "comparable.h"
#include "compile/compile.h"
#include "network.h"
#include "place.h"
#include "policy/fields.h"
#include "protocol/netconf.h"
#include "protocol/network_list.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

using app::Cell;
using policy::Fields;

constexpr std::chrono::seconds kTime{60};

const app::TableShape& table() {
  static const app::TableShape shape{
      "differences",
      nullptr,
      app::Form::rows,
      {{"place", "PLACE", "string", "plugins[1] and its type, or the list"},
       {"key", "KEY", "string", "the key that differs"},
       {"one", "ONE", "JSON or null", "its value in the first network; null: it isn't there"},
       {"other", "OTHER", "JSON or null", "its value in the second network"}}};
  return shape;
}

/// Without the plugins, which are compared one by one.
Fields own_keys(const protocol::NetworkList& list) {
  Fields fields(list.text);
  fields.remove("plugins");
  return fields;
}

class Diff final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operand(one_, "ONE", "A chain's name, or the file of a .conflist");
    options.operand(other_, "OTHER", "The same, to compare with");
    place_.declare(options);
  }

  app::ExitStatus run(app::Output& output) override {
    const Folders folders = place_.folders();
    const module::Locations where = place_.locations();
    compile::Compiler compiler(folders, where, std::chrono::steady_clock::now() + kTime,
                               settings::Keep::nothing);
    const protocol::NetworkList one = read(one_, compiler);
    const protocol::NetworkList other = read(other_, compiler);
    report_.add_table(table());
    compare("the list", own_keys(one), own_keys(other));
    for (std::size_t i = 0; i < std::max(one.members.size(), other.members.size()); ++i) {
      const auto* mine = i < one.members.size() ? &one.members[i] : nullptr;
      const auto* theirs = i < other.members.size() ? &other.members[i] : nullptr;
      compare("plugins[" + std::to_string(i) + "] " + (mine != nullptr ? mine : theirs)->type,
              Fields(mine == nullptr ? "{}" : mine->text),
              Fields(theirs == nullptr ? "{}" : theirs->text));
    }
    if (differs_ || output.is_json()) output.put(report_);
    return differs_ ? app::ExitStatus::failed : app::ExitStatus::done;
  }

 private:
  /// A wrapper, whose one plugin names a chain, stands for that chain.
  static protocol::NetworkList read(const std::string& network, compile::Compiler& compiler) {
    protocol::NetworkList list = read_network(network, compiler);
    if (list.members.size() != 1 || list.members.front().type != chain::kChainType) return list;
    const auto chain = protocol::Netconf::parse(list.members.front().text).chain();
    return chain ? read_chain(*chain, compiler) : std::move(list);
  }

  /// A key that is null counts as absent.
  void compare(const std::string& place, const Fields& one, const Fields& other) {
    for (const auto& [key, value] : one.members()) {
      const std::string* mine = one.find(key);
      const std::string* theirs = other.find(key);
      if (mine == nullptr) continue;
      if (theirs == nullptr || comparable(*theirs) != comparable(*mine)) {
        put(place, key, mine, theirs);
      }
    }
    for (const auto& [key, value] : other.members()) {
      if (one.find(key) == nullptr && other.find(key) != nullptr) put(place, key, nullptr, &value);
    }
  }

  void put(const std::string& place, const std::string& key, const std::string* one,
           const std::string* other) {
    differs_ = true;
    const auto cell = [](const std::string* json) {
      return json == nullptr ? Cell() : Cell::json(*json, *json);
    };
    report_.add_row({Cell::text(place), Cell::text(key), cell(one), cell(other)});
  }

  PlaceOptions place_;
  std::string one_;
  std::string other_;
  app::Report report_;
  bool differs_ = false;
};

}  // namespace

app::VerbText diff_verb() {
  return {"diff",
          "Compare two networks",
          "Each is a chain or a .conflist; comments, order of keys and syntax make no difference: "
          "1500 is 1.5e3, and a key that is null counts as absent. "
          "Plugins are compared by their places. A .conflist that only names a chain stands for "
          "the chain.\n"
          "The status is 1 if they differ.",
          "unictl diff web /etc/cni/net.d/10-web.conflist\n"
          "unictl diff web web2 --json",
          {&table()},
          [] { return std::unique_ptr<app::Verb>(std::make_unique<Diff>()); }};
}

}  // namespace unicni::unictl
