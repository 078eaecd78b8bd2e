#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace left4me::git {

/// Adds a directory to safe.directory in a configuration file of git's: without it git refuses to work in a
/// repository of another user's. Returns whether it had to.
std::expected<bool, std::string> add_safe_directory(const std::filesystem::path& configuration,
                                                    const std::string& directory);

}  // namespace left4me::git
