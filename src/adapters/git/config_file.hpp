#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace left4me::git {

/// One file of git's configuration that only root writes, without any other that git would read beside it.
/// Both return whether the file was changed.

/// `name` has `value` among its values. A `*` that is there already stands for any.
std::expected<bool, std::string> add_value(const std::filesystem::path& file, const std::string& name,
                                           const std::string& value);

/// `name` has `value` and no other.
std::expected<bool, std::string> set_value(const std::filesystem::path& file, const std::string& name,
                                           const std::string& value);

/// `name` has a value: `value`, unless somebody has chosen another.
std::expected<bool, std::string> set_default(const std::filesystem::path& file, const std::string& name,
                                             const std::string& value);

}  // namespace left4me::git
