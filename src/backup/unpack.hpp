#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <string>

namespace left4me::backup {

/// Where what is beneath each section is written: empty directories that only root may enter. Other sections
/// are verified and not written. about_name is written into the one of the section "about".
using Destinations = std::map<std::string, std::filesystem::path>;

/// Reads a backup to its end and verifies all of it. An error, with what was written left there, if it is not
/// whole, contains what no backup contains, or does not fit on the disk. What belonged to a user or a group
/// that is not ours belongs to `others`.
std::expected<void, std::string> unpack(int archive, const Destinations& destinations,
                                        const std::string& others = "left4me");

}  // namespace left4me::backup
