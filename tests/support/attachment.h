// Plugins as a runtime calls them.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "support/sandbox.h"

namespace unicni::test {

/// $UNICNI_STAGE, the prefix that the product under test is installed in. Without it every test
/// fails.
std::string stage();
/// $UNICNI_STAGE/libexec/cni
std::string bin_dir();
/// Debian's containernetworking-plugins.
inline constexpr const char* kReferenceDir = "/usr/lib/cni";

/// One attachment: everything that is the same for its verbs. Copy it and change what a test is
/// about.
struct Attachment {
  Json config;
  std::string netns;
  std::string container_id = "c1";
  std::string if_name = "eth0";
  std::string type = {};                        ///< file name of the plugin; empty: config's "type"
  std::string folder = {};                      ///< where that file is; empty: bin_dir()
  std::string cni_path = {};                    ///< empty: bin_dir()
  std::map<std::string, std::string> env = {};  ///< more variables, such as CNI_ARGS

  /// The program call of a verb, for those who run it in their own way.
  [[nodiscard]] Spawn spawn(const std::string& command, const Json& request) const;
  [[nodiscard]] Output call(const std::string& command, const Json& request) const {
    return run(spawn(command, request));
  }
  [[nodiscard]] Output add() const { return call("ADD", config); }
  [[nodiscard]] Output del() const { return call("DEL", config); }
  [[nodiscard]] Output del(const Json& prev_result) const;
  [[nodiscard]] Output check(const Json& prev_result) const;
  [[nodiscard]] Output status() const { return call("STATUS", config); }
  /// GC with the list of valid attachments under both keys, as libcni does.
  [[nodiscard]] Output gc(const Json& valid) const;
};

/// add() that must succeed: its result. A test failure and null otherwise.
Json must_add(const Attachment& attachment);
/// The verb succeeded and printed nothing.
void expect_silent_success(const Output& output);
/// The verb failed with one error document on stdout; returns it. `code` 0: any but zero.
Json expect_error(const Output& output, unsigned code = 0);

/// {"containerID": …, "ifname": …}
Json valid_entry(const Attachment& attachment);

/// 10-mynet.conf of the first CNI release, byte for byte what tutorials still show.
Json mynet();
/// `config` with another cniVersion.
Json with_version(Json config, const std::string& version);
inline const std::vector<std::string> kVersions = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                   "0.4.0", "1.0.0", "1.1.0"};

}  // namespace unicni::test
