#include "leases.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "flags.h"
#include "keeper.h"
#include "renewal.h"
#include "unicni/folders.h"
#include "unicni/undo/lease.h"

namespace unicni::dhcp {

namespace {

std::string in_seconds(Instant when, Instant now) {
  if (when == kNever) return "never";
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(when - now).count();
  return left < 0 ? fmt::format("{} s ago", -left) : fmt::format("in {} s", left);
}

/// ADD's result has no place for the first two of reported(), and renewals change all of them.
std::string print(const Lease& lease, Instant now) {
  std::string text = lease.key.owner();
  if (!lease.grant) return text + ": lost, the daemon asks for another address\n";
  const GrantV4& grant = *lease.grant;
  text +=
      fmt::format(": {} from {}, renewed {}, ends {}\n", grant.address.str(), grant.server.str(),
                  in_seconds(grant.t1, now), in_seconds(grant.expires, now));
  if (const auto& six = lease.v6; six && six->grant) {
    text += fmt::format("  {}, renewed {}, ends {}\n", six->grant->address.str(),
                        in_seconds(six->grant->t1, now), in_seconds(six->grant->expires, now));
  } else if (six) {
    text += "  IPv6: lost, the daemon asks for another address\n";
  }
  for (const std::string& each : reported(grant)) text += "  " + each + '\n';
  if (!lease.place.view.empty() && lease.place.view != view_of(0) &&
      ::access(lease.place.netns_path.c_str(), F_OK) != 0) {
    text += fmt::format("  {} leads to its namespace in another mount namespace, {}\n",
                        lease.place.netns_path, lease.place.view);
  }
  return text;
}

}  // namespace

int list_leases(int argc, const char* const* argv) {
  const DaemonFlags flags = parse_flags(argc - 1, argv + 1);
  if (flags.help) {
    std::puts(usage());
    return 0;
  }
  const std::string folder = flags.host_prefix + flags.folder;
  // The default one is made with the first lease.
  if (folder != lease_folder(Folders{}) && ::access(folder.c_str(), F_OK) != 0) {
    std::fprintf(stderr, "dhcp: there is no folder of leases %s: %s\n", folder.c_str(),
                 std::strerror(errno));
    return 1;
  }
  std::vector<std::string> problems;
  std::vector<Lease> leases = read_leases(folder, &problems);
  std::sort(leases.begin(), leases.end(),
            [](const Lease& a, const Lease& b) { return a.key.owner() < b.key.owner(); });
  const Instant now = boot_time();
  for (const Lease& lease : leases) std::fputs(print(lease, now).c_str(), stdout);
  for (const std::string& text : problems) std::fprintf(stderr, "dhcp: %s\n", text.c_str());
  return problems.empty() ? 0 : 1;
}

}  // namespace unicni::dhcp
