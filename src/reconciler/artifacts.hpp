#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reconciler/plan.hpp"

namespace left4me {

/// Why an artifact or a rendering stays on the host.
enum class KeepReason {
    Asked,       ///< the server is to have it
    Mounted,     ///< the server runs with it
    Fallback,    ///< the server returns to it if the change that it has fails
    NextStart,   ///< the next start of the server would use it
    Source,      ///< the overlay's source asks for it
    RolledBack,  ///< a person rolled back to it
    Recent,      ///< one of the last limits.keepArtifacts
    Unknown,     ///< it is not known which one the overlay's source, or the server, asks for
    Building,    ///< builds of the overlay work in it
    Suspended,   ///< a person wants nothing to be touched
};

/// "Asked", …: the text in JSON.
const char* to_string(KeepReason reason);

struct Keep {
    KeepReason reason = KeepReason::Asked;
    std::string server = {};  ///< whose use it is; empty: nobody's

    bool operator==(const Keep&) const = default;
};

/// "server/comp1 runs with it", "its source asks for it", …
std::string to_text(const Keep& keep);

/// What becomes of one artifact or rendering.
struct ArtifactVerdict {
    Subject subject;
    std::string path;         ///< as in Observed::artifacts
    bool goes = false;        ///< the plan prunes it
    std::vector<Keep> keeps;  ///< why it stays
    /// Steps of servers that must have been done before it goes.
    std::vector<std::pair<std::string, Verb>> after;
};

/// What plan() would do about each entry of Observed::artifacts, and why: the same decision.
std::vector<ArtifactVerdict> judge_artifacts(const Target& target, const Observed& observed,
                                             const Memory& memory, const Intent& intent);

}  // namespace left4me
