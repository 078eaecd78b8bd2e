#pragma once

#include <cerrno>
#include <expected>
#include <string>

#include "reconciler/build.hpp"

namespace left4me::builder {

struct BuildError {
    BuildFailureKind kind = BuildFailureKind::IOError;
    std::string message;
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

}  // namespace left4me::builder
