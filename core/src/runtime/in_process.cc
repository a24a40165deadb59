// Lists by core's chain, in this process.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain/chain.h"
#include "protocol/request.h"
#include "protocol/result_parse.h"
#include "protocol/version.h"
#include "runtime/list_call.h"

namespace unicni::runtime {
namespace {

class Keeper final : public chain::Caller {
 public:
  Keeper(protocol::SpecVersion version, const KeepResult* keep) : version_(version), keep_(keep) {}
  void on_member(std::string_view) override {}
  void on_result(const std::string& document) override {
    if (keep_ != nullptr) (*keep_)(protocol::parse_result(document, version_));
  }

 private:
  protocol::SpecVersion version_;
  const KeepResult* keep_;
};

void run(const ListCall& call, const KeepResult* keep) {
  std::vector<std::string> variables = call.plugin_environment(call.command);
  auto environment = protocol::read_environment([&](const char* name) -> const char* {
    const std::string_view wanted(name);
    for (const std::string& variable : variables) {
      if (variable.size() > wanted.size() && variable.starts_with(wanted) &&
          variable[wanted.size()] == '=') {
        return variable.c_str() + wanted.size() + 1;
      }
    }
    return nullptr;
  });
  const protocol::Netconf list = protocol::make_list_request(call.list, call.command, call.parts);
  const chain::Request request{
      call.command,
      std::move(*environment),
      list.with_prev_result(call.prev_result ? &*call.prev_result : nullptr),
      chain::kChainType,
      call.shared.where,
      std::move(variables),
      call.deadline,
      call.shared.services,
      call.shared.modules};
  const auto version = protocol::find_version(call.list.cni_version);
  Keeper keeper(version.value_or(protocol::kNewest), keep);
  chain::run(request, keeper);
}

}  // namespace

void add_in_process(const ListCall& call, const KeepResult& keep) { run(call, &keep); }

void run_in_process(const ListCall& call) { run(call, nullptr); }

}  // namespace unicni::runtime
