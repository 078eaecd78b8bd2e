#pragma once

#include <map>
#include <optional>
#include <string>

#include "reconciler/time.hpp"

namespace left4me {

/// A person asked left4me to leave something alone, and said why.
struct Suspension {
    std::string reason;
    std::string by;
    std::optional<TimePoint> since;
    std::optional<TimePoint> until;  ///< nullopt: until somebody resumes

    bool operator==(const Suspension&) const = default;
};

struct Suspensions {
    std::optional<Suspension> all;
    std::map<std::string, Suspension> servers;

    bool operator==(const Suspensions&) const = default;
};

/// The suspension of everything, while it lasts; else nullptr.
const Suspension* suspension_of_all(const Suspensions& suspensions, TimePoint now);
/// The suspension of the server or of everything, while it lasts; else nullptr.
const Suspension* suspension_of(const Suspensions& suspensions, const std::string& server, TimePoint now);

/// "suspended by alice until 2026-03-01 12:00 UTC: new maps".
std::string suspension_text(const Suspension& suspension);

}  // namespace left4me
