#pragma once

#include <string>
#include <vector>

#include "reconciler/engine.hpp"

namespace left4me {

/// What one step reports to whoever follows it: the daemon's clients, and a front end that drives the engine
/// itself. Its actions carry only what a person may read: verb, subject, reason, code and drift, never what
/// is written by them.
struct StepReport {
    std::string revision;  ///< in force; empty: none ever was
    SourceErrorKind error_kind = SourceErrorKind::None;
    std::string source_error;  ///< why the source's own revision is not the one in force; empty: it is
    std::string host_error;    ///< why the host could not be observed; empty: it was
    Plan difference;           ///< what the host differs in, with what is under way
    std::vector<Action> under_way;
    CompletedActions ended;  ///< since the report before
    /// The source was read after the trigger had come: the follower's own change has been seen.
    bool seen = false;
};

/// `under_way`: Engine::open_actions() after what the step has begun.
StepReport report_of(const StepResult& step, std::vector<Action> under_way);

/// One report for two in a row: how things are now, and all that has ended.
StepReport merge(StepReport earlier, StepReport later);

}  // namespace left4me
