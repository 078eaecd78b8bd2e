#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace left4me::git {

/// One file of git's configuration that only root writes, without the other files that git would also read.
/// Both functions return whether the file was changed.

/// Adds `value` to the values of `name`. An existing `*` counts as any value.
std::expected<bool, std::string> add_value(const std::filesystem::path& file, const std::string& name,
                                           const std::string& value);

/// Sets `name` to `value` and removes all other values.
std::expected<bool, std::string> set_value(const std::filesystem::path& file, const std::string& name,
                                           const std::string& value);

/// Sets `name` to `value`, unless somebody has chosen another value.
std::expected<bool, std::string> set_default(const std::filesystem::path& file, const std::string& name,
                                             const std::string& value);

}  // namespace left4me::git
