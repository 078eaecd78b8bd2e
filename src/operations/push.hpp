#pragma once

#include <filesystem>
#include <string>

#include "operations/context.hpp"

namespace left4me::operations {

/// Whether the commit that is being pushed to the followed branch could be followed. `commit` is in
/// `repository`, or still in git's quarantine, the directory `objects` ("": none). InvalidManifest says what
/// is wrong.
Result<void> check_pushed(const Context& context, const std::filesystem::path& repository,
                          const std::string& commit, const std::string& objects);

}  // namespace left4me::operations
