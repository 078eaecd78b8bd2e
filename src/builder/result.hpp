#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <utility>

#include "reconciler/build.hpp"

namespace left4me::builder {

struct BuildError {
    BuildFailureKind kind = BuildFailureKind::IOError;
    std::string message;
    /// What was downloaded cannot be read: another download may be whole.
    bool damaged = false;
};

template <typename Value>
using Built = std::expected<Value, BuildError>;

/// An error with our own files. `error`: errno at that time.
inline std::unexpected<BuildError> own_failure(int error, const std::string& message) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return std::unexpected(BuildError{full ? BuildFailureKind::NoSpace : BuildFailureKind::IOError, message});
}

inline std::unexpected<BuildError> source_failure(const std::string& message) {
    return std::unexpected(BuildError{BuildFailureKind::SourceUnavailable, message});
}

/// An input is not what the lock file says. `what`: a sentence without its period.
inline std::unexpected<BuildError> not_as_pinned(const std::string& what) {
    return source_failure(what + "; to pin what there is now: sudo l4d2ctl lock");
}

/// The same error, of something at `where`. One of our own names what it is about already.
inline std::unexpected<BuildError> error_in(const std::string& where, BuildError error) {
    if (error.kind == BuildFailureKind::SourceUnavailable) error.message = where + ": " + error.message;
    return std::unexpected(std::move(error));
}

}  // namespace left4me::builder
