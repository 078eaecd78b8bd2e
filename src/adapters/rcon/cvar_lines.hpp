#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace left4me::rcon {

/// Lines for a console that print these cvars, as parse_cvars() reads them. A name alone would run a command
/// of that name; `help` only describes it.
std::vector<std::string> lines_that_read(const std::set<std::string>& names);
/// Lines that set them. Names and values contain neither `"` nor `;`.
std::vector<std::string> lines_that_set(const std::map<std::string, std::string>& cvars);

/// What `help` has printed about cvars, by name, in lower case: the value, or nullopt if there is no such
/// cvar or it is a command. One that is described in two ways (what a player says is printed, too) is left
/// out.
std::map<std::string, std::optional<std::string>> parse_cvars(std::string_view text);

}  // namespace left4me::rcon
