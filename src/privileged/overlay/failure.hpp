#pragma once

#include <expected>
#include <string>
#include <utility>

namespace left4me::overlay {

/// Why left4me-overlay failed. The values are its exit codes.
enum class Failure {
    Usage = 2,        ///< wrong command line, an invalid name
    Refused = 3,      ///< the layer stack asks for something that is not allowed
    NotRendered = 4,  ///< there is no rendering of this server
    System = 5,       ///< the kernel refused
    Busy = 6,         ///< the mount is in use
};

struct Error {
    Failure failure = Failure::System;
    std::string message;
    int number = 0;  ///< errno, if the kernel returned one
};

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Failure failure, std::string message, int number = 0) {
    return std::unexpected(Error{failure, std::move(message), number});
}

/// "MESSAGE: No such file or directory", with the current errno.
std::unexpected<Error> system_failure(const std::string& message);

}  // namespace left4me::overlay
