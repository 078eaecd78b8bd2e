#pragma once

#include <expected>
#include <string>
#include <utility>

#include "operations/error.hpp"

namespace left4me::ctl {

/// Exit codes. Scripts rely on these numbers; docs/cli.md lists them.
enum class Exit : int {
    Done = 0,
    Differences = 1,  ///< diff, lock --check; of `host check`, from what must be true
    Usage = 2,
    Invalid = 3,  ///< a manifest or the configuration is invalid
    NotFound = 4,
    Refused = 5,  ///< the host refused, or could not be reached
    TimedOut = 6,
    Interrupted = 130,  ///< as shells have it: 128 and SIGINT
};

Exit exit_for(operations::ErrorKind kind);

/// Why a verb ended early. The message goes to stderr unchanged; it may have several lines.
struct Failure {
    Exit code = Exit::Refused;
    std::string message;

    Failure(Exit exit, std::string text) : code(exit), message(std::move(text)) {}
    /// Implicit, so that a verb hands on what an operation could not do.
    Failure(const operations::Error& error) : code(exit_for(error.kind)), message(error.message) {}
};

template <typename T>
using Result = std::expected<T, Failure>;

inline std::unexpected<Failure> fail(Exit code, std::string message) {
    return std::unexpected(Failure{code, std::move(message)});
}

}  // namespace left4me::ctl
