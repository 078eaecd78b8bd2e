#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

namespace left4me {

/// Variables of a game's console, by name: the values that they should have.
using Cvars = std::map<std::string, std::string>;

/// What the console of a game said about those of its Blueprint. A name that is missing was not answered.
struct ObservedCvars {
    std::map<std::string, std::optional<std::string>> values;  ///< nullopt: the game has no such cvar

    bool operator==(const ObservedCvars&) const = default;
};

/// The game keeps the text that it was given, but one that it limits to a range it writes anew: 1
/// as 1.000000.
bool is_same_value(const std::string& one, const std::string& other);

}  // namespace left4me
