// CNI for programs that run containers: what Go programs have libcni for. CNI spec 1.1.0, section 3
// "Execution of network configurations".
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/error.h"
#include "unicni/folders.h"
#include "unicni/log.h"
#include "unicni/observer.h"
#include "unicni/result.h"

namespace unicni {

namespace protocol {
struct NetworkList;
}

/// Where the modules of unicni work. Plugins of other makers are processes in any case.
enum class Isolation : unsigned char {
  /// Each plugin is a process, as with libcni: if one crashes, its verb fails. Where the host has
  /// policies (/etc/unicni/policy.d), the executable unicni runs the list as a whole and applies
  /// them to all plugins; so it does for what was attached by it.
  process,
  /// In the program itself, a list as a whole: no process is started, which is the fastest. Nobody
  /// can end a module that works on past the deadline, or crashes: that is the price. A list
  /// with a member of type `unicni`, which is a list itself, is run by processes all the same.
  in_process,
};

/// All that a Runtime works with. Paths are absolute and have no '/' at their ends.
struct RuntimeOptions {
  /// Where plugins are looked for, in this order: CNI_PATH. The first executable file of a plugin's
  /// type decides; if there is none, the module of unicni of that name serves (promise of
  /// unicni/module.h). At least one.
  std::vector<std::string> plugin_folders = {"/opt/cni/bin"};
  /// Network configurations.
  std::string network_folder = "/etc/cni/net.d";
  /// State on this host; the cache of results is `folders.results()`, libcni's.
  Folders folders = {};
  /// The executable `unicni`, which must be called so. "": the first one in `plugin_folders`, else
  /// the one that was installed with the library; without any, modules of unicni serve only in the
  /// process, or where CNI_PATH has them.
  std::string executable;
  /// Folders of modules. None: those that belong to `executable`.
  std::vector<std::string> module_folders;
  Isolation isolation = Isolation::process;
  /// Longest time of a verb, locks included, unless the call says otherwise. A GC has it once for
  /// the plugins' GC, and `del_time` for each attachment that it deletes. An ADD that is undone has
  /// `del_time` for that.
  std::chrono::milliseconds verb_time{30'000};
  std::chrono::milliseconds del_time{15'000};
  /// Neither is owned; both outlive the Runtime and are called by threads of its own. nullptr:
  /// nobody listens.
  LogSink* log = nullptr;
  Observer* observer = nullptr;
  /// "K=V", what plugins inherit. nullopt: the environment at the time of construction.
  std::optional<std::vector<std::string>> environment;
};

/// A network: a list of plugins as its file has it, checked. Immutable; a copy shares it.
class NetworkConfig {
 public:
  [[nodiscard]] const std::string& name() const;
  /// The newest version that unicni knows of those that the list allows, else what is written.
  [[nodiscard]] const std::string& cni_version() const;
  [[nodiscard]] bool disable_check() const;
  [[nodiscard]] bool disable_gc() const;
  /// Types of the plugins, in the order of ADD.
  [[nodiscard]] std::vector<std::string> types() const;
  /// The document as a list, without comments and drop-ins: what the cache keeps.
  [[nodiscard]] const std::string& text() const;
  /// The file, or what the caller called the bytes.
  [[nodiscard]] const std::string& source() const;
  /// What is allowed but looks like a mistake; each names source().
  [[nodiscard]] const std::vector<std::string>& warnings() const;

 private:
  explicit NetworkConfig(std::shared_ptr<const protocol::NetworkList> list);
  std::shared_ptr<const protocol::NetworkList> list_;
  friend class Runtime;
};

/// "K", "V" in their order.
using RuntimePairs = std::vector<std::pair<std::string, std::string>>;

/// One container's place in a network. DEL and CHECK are to be given what ADD was given.
struct RuntimeConf {
  std::string container_id;  ///< a letter or digit, then letters, digits and _ . -
  std::string netns;         ///< path of the network namespace; may be empty or gone on DEL
  std::string if_name;       ///< 1 to 15 bytes: the interface in the container
  RuntimePairs args = {};    ///< CNI_ARGS; neither part may have ; or =
  /// A JSON object's text with a capability as each key; a plugin gets those that its
  /// "capabilities" have as true. "": none.
  std::string capability_args = {};
};

/// What ADD gave, or the cache has of it.
struct AttachResult {
  std::string cni_version;  ///< the list's
  std::string text;         ///< a JSON object in that version, indented, no newline at its end
  Result result;            ///< the same as a value
};

/// An attachment that the cache knows, as its ADD was called.
struct CachedAttachment {
  AttachmentKey key;
  std::string netns;
  std::string config;  ///< the list or plugin that ADD was given
  RuntimePairs args;
  std::string capability_args;  ///< as RuntimeConf::capability_args
  std::string result;           ///< a JSON object's text in the version that it says; "": none
};

/// Of a single call.
struct VerbOptions {
  /// Instead of RuntimeOptions::verb_time and del_time. Error(try_again) if it isn't positive.
  std::optional<std::chrono::milliseconds> time = {};
  /// TRACEPARENT, TRACESTATE, BAGGAGE for plugins (W3C Trace Context).
  RuntimePairs trace = {};
  /// CHECK calls the plugins also if the cache has no entry, as libcni does; they get no result
  /// then, which most of them refuse.
  bool check_without_result = false;
};

/// The files of a network folder.
struct NetworkFile {
  std::string path;
  std::optional<NetworkConfig> network;  ///< without value: `problem` says why
  std::optional<Error> problem;
  std::string shadowed_by;  ///< the file that get_network() takes for this name; "": this one
};

/// Attaches containers to networks. Any thread may call any method, several at once; each verb
/// works on a thread of its own, in the namespaces of the thread that made the Runtime, and the
/// caller waits for it. No signal handler is set, and nothing is written to stdout and stderr.
/// Plugins that are programs run under a small process of ours, RuntimeOptions::executable, so what
/// the program does with SIGCHLD and wait(2) doesn't matter; without an executable they are its
/// children. If the program dies, they are ended; what they leave the next verb undoes.
///
/// Verbs for one container wait for each other, in this process and in others that use unicni's
/// library with the same `folders.run`; GC of a network waits for its ADD, CHECK and DEL, and they
/// for it (spec section 2 "Overview of all ... operations" forbids them in parallel). Half of a
/// verb's time may be waited, then it is Error(try_again) that names the holder. Where the locks
/// can't be written, DEL and GC warn and go on.
///
/// All failures are unicni::Error with a code of the spec's; those of plugins keep their own code.
/// Not usable in a child that fork(2) made of the program, which may destroy it, though.
class Runtime {
 public:
  /// Starts two threads. Error if it can't.
  explicit Runtime(RuntimeOptions options);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  /// Waits for verbs that are at work; none begins any more.
  ~Runtime();

  // Configurations. Errors name the file: decode for what is no JSON (comments are allowed),
  // invalid_config for wrong values.

  /// The network of RuntimeOptions::network_folder with this name, drop-ins included. The first
  /// *.conflist by byte order counts, then *.conf and *.json. Error(invalid_config) if there is
  /// none, saying which there are.
  [[nodiscard]] NetworkConfig get_network(const std::string& name) const;
  /// One file, by its extension; drop-ins included.
  [[nodiscard]] static NetworkConfig get_network_file(const std::string& path);
  /// A list, or a single plugin, which is a list of one. `source` is for messages.
  [[nodiscard]] static NetworkConfig parse_network(std::string_view text,
                                                   const std::string& source = "the configuration");
  /// All files of the folder in the order of get_network(), broken ones too. Error(internal) if it
  /// can't be read; one that isn't there is empty.
  [[nodiscard]] std::vector<NetworkFile> list_networks() const;

  // Verbs.

  /// ADD of the list, in its order, and an entry in the cache (ADD-05 to ADD-08). If it fails, or
  /// the entry can't be written, what was done is undone; what could not be undone is in the
  /// Error's details, and DEL will try again. By processes that is DEL of all members, each with an
  /// equal share of `del_time`.
  /// A second ADD must not take the network of an attachment that lives. Nothing is undone if it
  /// was in the cache before, with the same namespace. Where it stood without that (unicni has it
  /// in its journal, or the interface is in the namespace: the entry was lost, or another runtime
  /// made it), a first member that fails has refused the ADD, and nothing is undone either; if a
  /// later one fails, only what this ADD did.
  /// Before any plugin is called: unknown_container or invalid_environment for a missing or bad
  /// container id, invalid_environment for a bad interface name, invalid_config for a bad network
  /// name or a plugin that isn't there, incompatible_version.
  AttachResult add(const NetworkConfig& network, const RuntimeConf& conf,
                   const VerbOptions& options = {}) const;
  /// DEL in reverse, with the cached result from 0.4.0 on; then the entry is removed. Without an
  /// entry, or with a broken one, which is removed first, the plugins get no result (DEL-07 to
  /// DEL-14). The first error of a plugin ends it and the entry stays (DEL-12); in the process all
  /// modules get their DEL, and the first error is thrown.
  void del(const NetworkConfig& network, const RuntimeConf& conf,
           const VerbOptions& options = {}) const;
  /// CHECK with the cached result (CHK-01 to CHK-07). Success at once with "disableCheck".
  /// incompatible_version before 0.4.0; unknown_container if the cache has no usable result of the
  /// attachment (CHK-07), but see VerbOptions::check_without_result.
  void check(const NetworkConfig& network, const RuntimeConf& conf,
             const VerbOptions& options = {}) const;
  /// Deletes the network's cached attachments that aren't in `valid`, by this list and with the
  /// arguments of their ADD; then, from 1.1.0 on, GC of all plugins. Goes on past errors: the first
  /// is thrown, with the others in its details (GC-01 to GC-12). Nothing is done with "disableGC".
  /// An empty `valid` means that nothing is valid.
  void gc(const NetworkConfig& network, const std::vector<Attachment>& valid,
          const VerbOptions& options = {}) const;
  /// The first error of a plugin, with its code: not_available, not_available_existing. Success
  /// before 1.1.0 (STAT-01 to STAT-07).
  void status(const NetworkConfig& network, const VerbOptions& options = {}) const;

  /// The versions that the plugin of this type supports, as it writes them. Error(invalid_config)
  /// if there is none; Error(decode) for no sensible answer.
  [[nodiscard]] std::vector<std::string> supported_versions(const std::string& type,
                                                            const VerbOptions& options = {}) const;
  /// Whether all plugins, and the IPAM plugins that they name, are there and support the list's
  /// version, and whether the options of unicni's modules have values that their ADD would take.
  /// Error with all that is wrong; keys that nobody knows are told to the log, as by an ADD.
  /// Returns the capabilities that plugins ask for, sorted.
  // NOLINTNEXTLINE(modernize-use-nodiscard)
  std::vector<std::string> validate(const NetworkConfig& network,
                                    const VerbOptions& options = {}) const;

  // The cache.

  /// What the cache knows, of one container or of all, by byte order of the files' names. Broken
  /// entries are left out. Error if the folder can't be read; one that isn't there is empty.
  [[nodiscard]] std::vector<CachedAttachment> attachments(
      const std::string& container_id = {}) const;
  /// nullopt: there is no entry. Error(decode) if it is broken.
  [[nodiscard]] std::optional<CachedAttachment> find_attachment(const AttachmentKey& key) const;
  /// The cached result in the network's version. nullopt: there is no entry. Error(decode) if it is
  /// broken, or can't be told in that version.
  [[nodiscard]] std::optional<AttachResult> find_result(const NetworkConfig& network,
                                                        const RuntimeConf& conf) const;

 private:
  class Core;
  std::unique_ptr<const Core> core_;
};

}  // namespace unicni
