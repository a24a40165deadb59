// Policies: the text that people write, as rules and as lines of the compiled form; then what they
// make of one ADD. Nothing but an Error may come out, the compiled form reads as it was written,
// and what a limit passed keeps to it. The same text is tried as compiled lines and as a whole
// entry.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "document/policy.h"
#include "policy/compiled.h"
#include "policy/rates.h"
#include "policy/ruling.h"
#include "protocol/document.h"
#include "settings/compiled.h"
#include "unicni/error.h"
#include "unicni/options.h"

namespace {

namespace document = unicni::document;
namespace policy = unicni::policy;
using unicni::Code;

struct Link {
  std::string master, mac, runtime_mac, args_mac;
  std::int64_t mtu = 0;
  bool masq = false;
};
constexpr unicni::Option kLinkRows[] = {
    unicni::option<&Link::master>("master", ""),
    unicni::option<&Link::mtu>("mtu", "").with_range(0, 65535),
    unicni::option<&Link::masq>("ipMasq", "").with_default("false"),
    unicni::option<&Link::mac>("mac", ""),
    unicni::option<&Link::runtime_mac>("mac", "").from(unicni::OptionSource::runtime_config),
    unicni::option<&Link::args_mac>("MAC", "").from(unicni::OptionSource::cni_args).exact_case(),
};
constexpr unicni::OptionTable kLink = unicni::option_table<Link>(kLinkRows);
struct Rates {
  std::int64_t ingress = 0, ingress_burst = 0, egress = 0, egress_burst = 0;
};
constexpr unicni::Option kRateRows[] = {
    unicni::option<&Rates::ingress>("ingressRate", ""),
    unicni::option<&Rates::ingress_burst>("ingressBurst", ""),
    unicni::option<&Rates::egress>("egressRate", ""),
    unicni::option<&Rates::egress_burst>("egressBurst", ""),
};
constexpr unicni::OptionTable kRates = unicni::option_table<Rates>(kRateRows);

const std::vector<document::TypeOptions>& types() {
  static const std::vector<document::TypeOptions> all = {
      {"bridge", false, &kLink}, {"bandwidth", false, &kRates}, {"host-local", true, nullptr}};
  return all;
}

void require(bool condition) {
  if (!condition) std::abort();
}

/// The list bridge, bandwidth, foreign: what stays an object after defaults and overrides.
void apply(const policy::Policy& rules) {
  policy::Member bridge{{"bridge", "bridge", false, &kLink}};
  bridge.ipam = {"host-local", "host-local", false, nullptr};
  bridge.makes_interface = bridge.attaches = true;
  bridge.config = R"({"type":"bridge","MTU":9000,"mtu":1400,"ipam":{"type":"host-local"},)"
                  R"("runtimeConfig":{"Mac":"0a:0"},"args":{"cni":{"labels":{"tier":"web"}}}})";
  policy::Member bandwidth{{"bandwidth", "bandwidth", false, &kRates}};
  bandwidth.config = R"({"type":"bandwidth","runtimeConfig":{"bandwidth":{"egressRate":5}}})";
  policy::Member foreign{{"own", "own", true, nullptr}};
  foreign.config = R"({"type":"own","mtu":9000})";
  std::vector<policy::Member> members{bridge, bandwidth, foreign};
  const std::vector<std::string_view> configs{members[0].config, members[1].config};
  const policy::Facts facts =
      policy::make_facts("net", "eth0", "K8S_POD_NAMESPACE=tenant-a;K8S_POD_NAME=p;MAC=0a:1",
                         std::span(configs.data(), configs.size()));
  try {
    const policy::Ruling ruling(rules, facts, members);
    ruling.change(members);
    policy::keep_lowest_rates(members);
    for (const policy::Member& member : members) {
      require(!unicni::protocol::find_fault(member.config));
      for (const policy::Change& change : member.changes) require(!change.str().empty());
    }
    static_cast<void>(ruling.prepended());
    static_cast<void>(ruling.appended());
    static_cast<void>(ruling.asks_host_links());
    ruling.require(members, true);
    // A second time nothing is left to change.
    std::vector<policy::Member> again = members;
    ruling.require(again, true);
  } catch (const unicni::Error& error) {
    require(error.is(Code::policy_violated) || error.is(Code::policy_unreadable));
  }
}

void try_text(std::string_view text) {
  try {
    std::vector<std::string> warnings;
    const document::Document file = document::read(text, "file");
    static_cast<void>(document::type_policy(file, types()));
    const policy::Policy rules = document::read_policy(file, types(), warnings);
    const auto compiled = policy::parse_policy(policy::print_policy(rules));
    require(compiled && *compiled == rules);
    apply(*compiled);
  } catch (const unicni::Error& error) {
    require(error.is(Code::policy_unreadable) || error.is(Code::decode));
    require(error.msg().starts_with("file:"));
  }
}

void try_compiled(std::string_view text) {
  if (const auto rules = policy::parse_policy(text)) {
    require(policy::parse_policy(policy::print_policy(*rules)).has_value());
  }
  if (const auto entry = unicni::settings::parse_compiled(text)) {
    const auto again = unicni::settings::parse_compiled(unicni::settings::print_compiled(*entry));
    require(again && again->sources == entry->sources && again->body == entry->body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_text(text);
  try_compiled(text);
  return 0;
}
