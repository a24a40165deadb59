#include "chain/request_of_add.h"

#include "chain/member.h"

namespace unicni::chain {

void RequestOfAdd::take(const journal::RecordedStep& step, const std::string& type) {
  if (type.empty() || is_of_program(step, type)) return;
  const auto found = module::find_named(type, now_.where);
  if (!found || found->module == type) return;
  if (!then_) then_.emplace(now_.with(now_.netconf.copy(), now_.deadline));
  then_->where.served.push_back(type);
}

}  // namespace unicni::chain
