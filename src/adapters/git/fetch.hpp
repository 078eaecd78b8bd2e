#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "adapters/config/config.hpp"

namespace left4me::git {

/// The name of the fetched branch in the host's repository.
std::string tracking_reference(const GitSettings& settings);

/// Runs fetch_remote() in a separate process. `program` is left4me-fetch; empty: the installed one. Takes at
/// most six minutes, and survives a library that crashes on a server's answers.
std::expected<void, std::string> fetch_apart(const GitSettings& settings,
                                             const std::filesystem::path& program = {});

/// Fetches one branch from the remote into the host's repository, and creates that if it does not exist. Uses
/// only the transports that parse_remote_url() accepts; redirects to other hosts are refused. If something
/// fails, the previously fetched state stays.
std::expected<void, std::string> fetch_remote(const GitSettings& settings);

}  // namespace left4me::git
