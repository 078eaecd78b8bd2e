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

/// The user that left4me itself is.
inline constexpr const char* service_user = "left4me";

/// What every operation needs: where things are, and on whose behalf it is asked for.
struct Context {
    Paths paths;
    std::string config_path = config_file;
    Config config;
    std::unique_ptr<Source> source;  ///< what the configuration says; set by configure()
    Authorship caller;               ///< the person who asks
    std::string purpose;             ///< "l4d2ctl apply": for who waits for the lock, and for commits
    /// Told while an operation goes on: what it waits for, and what went wrong without keeping it from being
    /// done.
    std::function<void(const std::string&)> notice = [](const std::string&) {};
};

/// Takes over the configuration whose text was read from `context.config_path`; nullopt: the defaults.
/// InvalidConfig names file, line and column.
Result<void> configure(Context& context, const std::optional<std::string>& text);

/// What an event calls a person: the name they log in with. left4me itself, as the timer runs it, is nobody.
std::string actor_of(const Authorship& person);

}  // namespace left4me::operations
