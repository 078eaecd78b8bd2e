#pragma once

#include <expected>
#include <string>
#include <utility>

namespace left4me::operations {

/// What kept an operation from being done. A front end makes of it what its users understand: l4d2ctl an exit
/// code.
enum class ErrorKind {
    InvalidConfig,
    InvalidManifest,    ///< of the source, of an edit, or the whole as the edit would make it
    StillReferenced,    ///< other manifests name what was to be taken out
    InvalidArgument,    ///< the text that was given does not have the form that it must have
    NotFound,           ///< no such object, or no such revision
    SourceUnavailable,  ///< the source has vanished
    RevisionHeld,       ///< the source's revision is not one that left4me may follow by itself
    PermissionDenied,
    Suspended,        ///< somebody has asked to leave the server alone, or everything
    CommitFailed,     ///< the source did not take the change
    StateFailed,      ///< a file of left4me's own could not be read, written or locked
    HostUnavailable,  ///< systemd could not be asked
    NotDone,          ///< asked for and accepted, but the host is not like that
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
