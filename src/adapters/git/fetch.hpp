#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "adapters/config/config.hpp"

namespace left4me::git {

/// The name under which the fetched branch stands in the host's repository.
std::string tracking_reference(const GitSettings& settings);

/// Runs fetch_remote() in a process of its own, `program` being left4me-fetch; empty: where it is installed.
/// Takes six minutes at most, and survives whatever the answers of a server do to a library.
std::expected<void, std::string> fetch_apart(const GitSettings& settings,
                                             const std::filesystem::path& program = {});

/// Fetches the one branch from the remote into the host's repository, which is made if the place is empty.
/// Only what parse_remote_url() knows is ever spoken; redirects to other hosts are refused. What was
/// fetched before stays when something fails.
std::expected<void, std::string> fetch_remote(const GitSettings& settings);

}  // namespace left4me::git
