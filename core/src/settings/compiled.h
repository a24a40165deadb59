// What chains and policies are once unictl has compiled them, and of which files. A compiled entry
// is one file of Folders::compiled(), in lines of base's codec: what it was made of, then what it
// says. It counts as long as no source has changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/folders.h"

namespace unicni::settings {

/// What is compiled as one: all policies, or a chain. Also the entry's file name, and what unictl
/// is asked for.
inline constexpr const char* kPolicy = "policy";
std::string chain_subject(const std::string& name);  ///< "chain:web"

/// A file or folder as it was. Its change of any kind changes ctime, but for one within the same
/// tick of the kernel's clock (see Compiled::is_settled).
struct Source {
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t ctime = 0;  ///< ns since 1970
  std::int64_t size = 0;
  friend bool operator==(const Source&, const Source&) = default;
};
/// nullopt: there is none, or it can't be looked at. Symbolic links are followed.
std::optional<Source> find_source(const std::string& path);

struct Compiled {
  /// The folder first, as a file may come or go, then each file; behind them the executable and the
  /// folders of its modules, whose options say what a value is.
  std::vector<Source> sources;
  /// Every source had been as it was for kTick when it was read. Else a later change might not
  /// show.
  bool is_settled = false;
  std::vector<std::string> warnings;  ///< each names its file
  std::string body;                   ///< of a policy policy::print_policy(); of a chain JSON
};
inline constexpr std::int64_t kTick = 50'000'000;  ///< ns

/// Whether entries of Folders::compiled() are written by who compiles. A try of other settings must
/// not become what the host's verbs go by, and who only asks leaves nothing.
enum class Keep : unsigned char { entries, nothing };

std::string print_compiled(const Compiled& compiled);
/// nullopt: not all of what print_compiled() wrote, or another version's.
std::optional<Compiled> parse_compiled(std::string_view text);

/// Whether all its sources are as they were. Costs a stat(2) for each.
bool is_current(const Compiled& compiled);

/// Whether it was made of the settings in `folder` (Folders::policies(), Folders::chains()), and
/// with the modules of an executable in the same folder as `executable`, beside which copies of it
/// may stand under other names. "": any.
bool is_for(const Compiled& compiled, const std::string& folder, const std::string& executable);

/// The subject's entry, whether it is current or not. nullopt: none, or it can't be read. Error if
/// others than our user could have written it.
std::optional<Compiled> find_compiled(const Folders& folders, const std::string& subject);

}  // namespace unicni::settings
