// static: addresses, routes and DNS settings as they stand in the request. Keeps no state.
#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "config.h"
#include "unicni/error.h"
#include "unicni/module.h"

namespace unicni {
namespace {

/// The layouts of 0.1.0 and 0.2.0 hold one address a family.
void refuse_what_old_results_cannot_hold(const Call& call, const std::vector<IpConfig>& ips) {
  if (call.spec_version != "0.1.0" && call.spec_version != "0.2.0") return;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto count = std::count_if(
        ips.begin(), ips.end(), [&](const IpConfig& ip) { return ip.address.family() == family; });
    if (count > 1) {
      throw Error(Code::invalid_config,
                  fmt::format("CNI version {} does not support more than 1 address per family, {} "
                              "IPv{} addresses are "
                              "given",
                              call.spec_version, count, static_cast<int>(family)),
                  "give one address per family, or set cniVersion to 0.3.0 or later");
    }
  }
}

/// `may_lack_gateway`: an ADD of the reference gives replacing addresses none.
void require_in(const Result& result, const IpConfig& wanted, bool may_lack_gateway) {
  const auto found = std::find_if(result.ips.begin(), result.ips.end(),
                                  [&](const IpConfig& ip) { return ip.address == wanted.address; });
  if (found == result.ips.end()) {
    throw Error(Code::internal,
                fmt::format("address {} is not in prevResult", wanted.address.str()),
                "run DEL and then ADD for the attachment: the configured addresses have changed "
                "since its ADD");
  }
  if (may_lack_gateway && !found->gateway) return;
  // Without a gateway of ours, the main plugin may have filled in its own.
  if (wanted.gateway && found->gateway != wanted.gateway) {
    throw Error(Code::internal,
                fmt::format("gateway of {} is {} in prevResult, but {} in the configuration",
                            wanted.address.str(), found->gateway ? found->gateway->str() : "absent",
                            wanted.gateway->str()),
                "run DEL and then ADD for the attachment: the configured gateways have changed "
                "since its ADD");
  }
}

class StaticModule : public Module {
 public:
  void validate(const Call& call) override {
    const auto& options = call.options<StaticOptions>();
    switch (call.command) {
      case Command::add:
        require_workable(merged_addresses(options));
        [[fallthrough]];
      case Command::check:
        refuse_what_old_results_cannot_hold(call, merged_addresses(options));
        break;
      case Command::status:  // comes without what the runtime will give
      case Command::gc:
        require_readable(options);
        break;
      case Command::del:
      case Command::version:
        break;
    }
  }

  Result add(const Call& call, Host&) override {
    const auto& options = call.options<StaticOptions>();
    Result result;
    result.ips = merged_addresses(options);
    result.routes = options.routes;
    result.dns = options.dns;
    return result;
  }

  void del(const Call&, Host&) override {}

  void check(const Call& call, Host&) override {
    if (!call.prev_result) {
      throw Error(Code::invalid_config, "Required prevResult missing",
                  "the runtime must send the result of ADD as prevResult with CHECK");
    }
    const auto& options = call.options<StaticOptions>();
    for (const IpConfig& wanted : merged_addresses(options)) {
      require_in(*call.prev_result, wanted, are_replaced(options));
    }
  }
};

constexpr const char* kCapabilities[] = {"ips", nullptr};

}  // namespace
}  // namespace unicni

UNICNI_MODULE(static, ipam, unicni::StaticModule, .options = &unicni::kStaticOptions,
              .capabilities = unicni::kCapabilities);
