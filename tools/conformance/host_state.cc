#include "conformance/host_state.h"

#include <cstdint>
#include <filesystem>
#include <set>

#include "conformance/private_host.h"

namespace unicni::conformance {
namespace {

namespace fs = std::filesystem;

/// Numbers that nftables and tc give, and that differ each time.
const std::set<std::string> kNumbers = {"handle", "packets", "bytes"};

constexpr std::uintmax_t kMostRead = 1U << 20U;

bool has_nft() {
  for (const char* path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"}) {
    if (fs::exists(path)) return true;
  }
  return false;
}

/// The elements of a set stand each by itself, so that a table that is made once and kept differs
/// from what an attachment adds to it.
void put_nft(State& state, int netns) {
  const Json ruleset = tool_json({"nft", "-j", "list", "ruleset"}, netns);
  for (Json object : ruleset.value("nftables", Json::array())) {
    probe::drop_transient(object, kNumbers);
    const std::string kind = object.begin().key();
    if (kind == "metainfo") continue;
    Json& what = object.begin().value();
    const std::string place =
        what.value("family", "") + ' ' + what.value(kind == "table" ? "name" : "table", "") + ' ';
    if (what.contains("elem")) {
      for (const Json& element : what["elem"]) {
        state["element " + place + what.value("name", "") + ' ' + element.dump()] = "";
      }
      what.erase("elem");
    }
    state["nft " + place + kind + ' ' + what.dump()] = "";
  }
}

void put_files(State& state, const std::string& folder) {
  std::error_code error;
  auto each = fs::recursive_directory_iterator(folder, error);
  for (; each != fs::recursive_directory_iterator(); each.increment(error)) {
    const std::string path = each->path();
    if (path == kSuiteFolder || path == "/run/netns") {
      each.disable_recursion_pending();
    } else if (each->is_regular_file(error)) {
      // A file may be larger than memory, as holes cost nothing.
      const auto size = each->file_size(error);
      state["file " + path] = size > kMostRead ? std::to_string(size) + " bytes" : read_file(path);
    }
  }
}

}  // namespace

State kernel_state(int netns) {
  State state = probe::kernel_state(netns, kNumbers);
  // The kernel makes it with a namespace's first VRF, and keeps it (drivers/net/vrf.c).
  std::erase_if(state, [](const auto& entry) {
    return entry.first.starts_with("rule ") && entry.first.find("\"l3mdev\"") != std::string::npos;
  });
  if (has_nft()) put_nft(state, netns);
  return state;
}

State host_state() {
  State state = kernel_state();
  put_files(state, "/run");
  put_files(state, "/var/lib");
  return state;
}

std::vector<std::string> addresses_of(const std::string& link, int netns) {
  std::vector<std::string> addresses;
  for (const auto& [key, value] : kernel_state(netns)) {
    const std::string prefix = "addr " + link + ' ';
    if (key.starts_with(prefix)) addresses.push_back(key.substr(prefix.size()));
  }
  return addresses;
}

}  // namespace unicni::conformance
