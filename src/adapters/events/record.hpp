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

/// Writes events into state/events.jsonl and tells the journal. `actor`: who asked for them, for those that
/// do not name anybody; of a correction of drift nobody asked, so there it is looked up who made it
/// necessary. Do it after the host was corrected: it may read the journal.
std::expected<void, std::string> record(const Paths& paths, std::vector<Event> events,
                                        const std::string& actor = {});

/// All that is to be remembered of a pass when it has ended.
struct PassEnd {
    std::vector<Event> events;
    Verdict verdict;
    bool is_new = false;  ///< another revision was in force until now
    TimePoint at{};
    Revisions revisions;
    std::string actor;  ///< the person who asked for the pass; empty: nobody did
};

/// All of it that the pass itself can tell: without the revisions and the actor.
PassEnd end_of_pass(const Status& before, const std::string& revision, const Intent& intent,
                    const Ended& ended, const Plan& remaining, const Status& after);

/// Its events and its line in the history. A pass that changed nothing writes nothing.
std::expected<void, std::string> record_pass(const Paths& paths, PassEnd end);

}  // namespace left4me
