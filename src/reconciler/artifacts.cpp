#include "reconciler/artifacts.hpp"

namespace left4me {

const char* to_string(KeepReason reason) {
    switch (reason) {
        case KeepReason::Asked:
            return "Asked";
        case KeepReason::Mounted:
            return "Mounted";
        case KeepReason::Fallback:
            return "Fallback";
        case KeepReason::NextStart:
            return "NextStart";
        case KeepReason::Source:
            return "Source";
        case KeepReason::RolledBack:
            return "RolledBack";
        case KeepReason::Recent:
            return "Recent";
        case KeepReason::Unknown:
            return "Unknown";
        case KeepReason::Building:
            return "Building";
        case KeepReason::Suspended:
            return "Suspended";
    }
    return "?";
}

std::string to_text(const Keep& keep) {
    const std::string server = "server/" + keep.server;
    switch (keep.reason) {
        case KeepReason::Asked:
            return server + " is to have it";
        case KeepReason::Mounted:
            return server + " runs with it";
        case KeepReason::Fallback:
            return server + " returns to it if its change fails";
        case KeepReason::NextStart:
            return "the next start of " + server + " uses it";
        case KeepReason::Source:
            return "its source asks for it";
        case KeepReason::RolledBack:
            return "a person rolled back to it";
        case KeepReason::Recent:
            return "one of the last (limits.keepArtifacts)";
        case KeepReason::Unknown:
            return keep.server.empty() ? "what its source asks for is not known"
                                       : "what " + server + " needs is not known";
        case KeepReason::Building:
            return "builds work in it";
        case KeepReason::Suspended:
            return "suspended";
    }
    return "?";
}

}  // namespace left4me
