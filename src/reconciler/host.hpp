#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "reconciler/observed.hpp"
#include "reconciler/plan.hpp"
#include "reconciler/rollback.hpp"

namespace left4me {

/// The result of one action.
struct Outcome {
    ActionIndex action = 0;
    bool done = false;
    FailureKind reason = FailureKind::Unknown;  ///< if not done
    std::string message;                        ///< if not done: the host's own message
    /// The plan that was passed to begin(): several may be in flight.
    const Plan* plan = nullptr;
    /// Since begin(); zero if nobody measured it.
    std::chrono::milliseconds took{};
};

/// It was tried in vain. What was dropped because somebody plays after all is not a failure: it waits again.
/// Nor is a warning that could not be given.
inline bool has_failed(const Outcome& outcome) {
    return !outcome.done && outcome.reason != FailureKind::Occupied && outcome.reason != FailureKind::NotSaid;
}

/// The only interface between decisions and effects. Two implementations: SystemdHost, and FakeHost in
/// test/support.
class Host {
  public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    virtual ~Host() = default;

    /// Called before read_inputs(): of a build that ended between the two, the record is read; the other way
    /// round it would look as if it had never begun. In a number of D-Bus round trips that does not grow with
    /// the number of servers.
    virtual std::expected<ObservedUnits, std::string> observe_units() = 0;

    /// Reads what the revision refers to outside itself: overlays' sources, the records of
    /// their builds, whether what they are rolled back to is there, and secrets. Changes nothing.
    virtual Inputs read_inputs(const Desired& desired, const Rollbacks& rollbacks) = 0;

    /// Observes everything else, and puts it together with the units. `target` determines which files to
    /// compare. Changes nothing.
    virtual std::expected<Observed, std::string> observe(const Target& target, ObservedUnits units) = 0;

    /// Begins the given actions of a plan and returns without waiting for units. Each of them will get
    /// exactly one Outcome from poll_completions(). Actions with the same verb are executed as one
    /// batch. `plan` must outlive the outcomes.
    virtual void begin(const Plan& plan, std::span<const ActionIndex> actions) = 0;

    /// The outcomes of the actions that have ended since the last call; never blocks.
    virtual std::vector<Outcome> poll_completions() = 0;
};

}  // namespace left4me
