#pragma once

#include <expected>
#include <string>
#include <utility>

namespace left4me::operations {

/// Why an operation failed. A front end translates it for its users: l4d2ctl into an exit code.
enum class ErrorKind {
    InvalidConfig,
    InvalidManifest,    ///< in the source, in an edit, or in the result of the edit
    StillReferenced,    ///< other manifests name an object that was to be removed
    InvalidArgument,    ///< the given text does not have the required syntax
    NotFound,           ///< no such object, or no such revision
    SourceUnavailable,  ///< the source has vanished
    RevisionHeld,       ///< left4me may not follow the source's revision without approval
    PermissionDenied,
    Suspended,        ///< somebody suspended the server, or everything
    CommitFailed,     ///< the source did not accept the change
    StateFailed,      ///< one of left4me's own files could not be read, written or locked
    HostUnavailable,  ///< systemd could not be queried
    NotDone,          ///< accepted, but the host does not agree with it
    TimedOut,
    Interrupted,  ///< by a signal, while following; nothing was cancelled
};

struct Error {
    ErrorKind kind = ErrorKind::NotDone;
    std::string message;  ///< for people; it may have several lines
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
    return std::unexpected(Error{kind, std::move(message)});
}

}  // namespace left4me::operations
