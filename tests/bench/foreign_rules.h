// Others' firewall rules, as a host full of services has them.
#pragma once

namespace unicni::bench {

/// 20,000 nft rules in a table of their own, in the thread's namespace.
void add_foreign_rules();

}  // namespace unicni::bench
