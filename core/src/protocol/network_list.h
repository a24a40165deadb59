// A network as its file has it: a list of plugins, with what holds for all of them. Spec section 1
// "Network configuration format"; libcni's conf.go says what is tolerated.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::protocol {

inline constexpr std::size_t kListFileLimit = 1U << 20U;  ///< bytes of one file

/// One plugin object of a list.
struct ListMember {
  std::string type;
  /// The object as written, digits and escapes included, without comments and without the keys that
  /// runtimes write (CONF-21).
  std::string text;
  std::vector<std::string> capabilities;  ///< those that are true
  std::string source;  ///< for messages: "plugins"[1] of its file, or a drop-in's path
};

struct NetworkList {
  std::string name;  ///< as written, not empty; see require_network_name()
  /// The newest version that we know among "cniVersions" and "cniVersion"; if we know none, what is
  /// written. "0.1.0" if nothing is (CONF-05, CONF-06, CONF-08). May be no version at all.
  std::string cni_version;
  bool disable_check = false;
  bool disable_gc = false;
  bool only_inlined = false;  ///< "loadOnlyInlinedPlugins": no drop-ins
  std::vector<ListMember> members;
  /// The document without comments and drop-ins: what the cache keeps as "config". parse_list() of
  /// it is this list again, but for drop-ins.
  std::string text;
  std::string source;  ///< for messages: the path, or what the caller called the bytes
  std::vector<std::string> warnings;  ///< each names `source`
};

/// A ".conflist". Keys of the list count in their letter case. Plugins may be absent, then drop-ins
/// must bring them: ask require_members() at the end. Error(decode) for what is no JSON object
/// after its comments, or larger than kListFileLimit; Error(invalid_config) for a key with a wrong
/// value; both name `source`, the key, its value and what is allowed.
NetworkList parse_list(std::string_view bytes, const std::string& source);

/// A ".conf" or ".json" from before spec 1.0.0, one plugin object: a list of one member
/// (CONF-26, CONF-27). Its name may be missing, as in old files of loopback: then it is "".
NetworkList parse_plugin(std::string_view bytes, const std::string& source);

/// Whichever of the two it is: a plugin has "type" and no "plugins". For what has no file name: the
/// "config" of a cache entry.
NetworkList parse_network(std::string_view bytes, const std::string& source);

/// Appends a plugin object that is a file of its own in the drop-in folder.
void add_drop_in(NetworkList& list, std::string_view bytes, const std::string& source);

/// Error(invalid_config) if the list has no plugin (CONF-17).
void require_members(const NetworkList& list);
/// Error(invalid_config) unless the name is there and may be one (CONF-03).
void require_network_name(const NetworkList& list);
void require_network_name(std::string_view name);

/// All capabilities that a member has as true, sorted, each once.
std::vector<std::string> enabled_capabilities(const NetworkList& list);

}  // namespace unicni::protocol
