#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/events/history.hpp"
#include "adapters/paths.hpp"
#include "reconciler/engine.hpp"
#include "reconciler/events.hpp"

namespace left4me {

/// Writes events into state/events.jsonl and to the journal. `actor`: who asked for them, for events without
/// an actor. Nobody asked for a correction of drift, so it is attributed from the journal. Call it after the
/// host was corrected, because it may search the journal.
std::expected<void, std::string> record(const Paths& paths, std::vector<Event> events,
                                        const std::string& actor = {});

/// Everything to record at the end of a pass.
struct PassEnd {
    std::vector<Event> events;
    RevisionResult verdict;
    bool is_new = false;  ///< another revision was in force before
    TimePoint at{};
    Revisions revisions;
    std::string actor;  ///< the person who asked for the pass; empty: nobody
};

/// The part that the pass itself provides: without the revisions and the actor.
PassEnd end_of_pass(const Status& before, const std::string& revision, const Intent& intent,
                    const CompletedActions& ended, const Plan& remaining, const Status& after);

/// Records its events and its line in the history. A pass that changed nothing records nothing.
std::expected<void, std::string> record_pass(const Paths& paths, PassEnd end);

}  // namespace left4me
