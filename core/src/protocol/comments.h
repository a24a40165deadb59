// Comments in JSON files: // to the end of the line and /* … */. JSON has none, files of people do.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unicni::protocol {

/// `text` with blanks in the place of comments, so that lines and columns in messages stay those of
/// the file; in strings nothing is a comment. Line ends stay. Error(decode) for a comment without
/// end, which names the line that it begins in.
std::string without_comments(std::string_view text);

/// Where the comment begins that has no end, for which without_comments() throws; npos: there is
/// none.
std::size_t find_open_comment(std::string_view text);

}  // namespace unicni::protocol
