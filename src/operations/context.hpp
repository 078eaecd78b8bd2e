#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/config/config.hpp"
#include "adapters/paths.hpp"
#include "adapters/source/source.hpp"
#include "operations/error.hpp"

namespace left4me::operations {

/// The user that runs left4me.
inline constexpr const char* service_user = "left4me";

/// What every operation needs: paths, and the person who requests it.
struct Context {
    Paths paths;
    std::string config_path = config_file;
    Config config;
    std::unique_ptr<Source> source;  ///< the configured source; set by configure()
    Authorship caller;               ///< the person who requests the operation
    std::string purpose;  ///< "l4d2ctl apply": shown to others who wait for the lock, and used in commits
    /// Called during an operation: what it waits for, and errors that do not prevent it.
    std::function<void(const std::string&)> notice = [](const std::string&) {};
};

/// Applies the configuration whose text was read from `context.config_path`; nullopt: the defaults.
/// InvalidConfig names file, line and column.
Result<void> configure(Context& context, const std::optional<std::string>& text);

/// The person's name in events: the login name. left4me itself, as run by the timer, is nobody.
std::string actor_of(const Authorship& person);
/// The caller's name in a request that waits; never empty.
std::string requester_of(const Context& context);

}  // namespace left4me::operations
