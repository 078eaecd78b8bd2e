#include "l4d2ctl/exit.hpp"

namespace left4me::ctl {

Exit exit_for(operations::ErrorKind kind) {
    using operations::ErrorKind;
    switch (kind) {
        case ErrorKind::InvalidArgument:
            return Exit::Usage;
        case ErrorKind::InvalidConfig:
        case ErrorKind::InvalidManifest:
        case ErrorKind::StillReferenced:
            return Exit::Invalid;
        case ErrorKind::NotFound:
            return Exit::NotFound;
        case ErrorKind::SourceUnavailable:
        case ErrorKind::RevisionHeld:
        case ErrorKind::PermissionDenied:
        case ErrorKind::Suspended:
        case ErrorKind::CommitFailed:
        case ErrorKind::StateFailed:
        case ErrorKind::HostUnavailable:
        case ErrorKind::NotDone:
            return Exit::Refused;
        case ErrorKind::TimedOut:
            return Exit::TimedOut;
        case ErrorKind::Interrupted:
            return Exit::Interrupted;
    }
    return Exit::Refused;
}

}  // namespace left4me::ctl
