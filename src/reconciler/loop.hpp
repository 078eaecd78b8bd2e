#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconciler/host.hpp"
#include "reconciler/schedule.hpp"
#include "reconciler/status.hpp"

namespace left4me {

/// Actions that have ended, with the plan they were actions of: `outcomes[i].action` is an index into
/// `plan.actions`.
struct Ended {
    Plan plan;
    std::vector<Outcome> outcomes;
};

/// What one step has found out.
struct StepResult {
    Ended ended;      ///< since the step before
    Plan difference;  ///< between the manifests and the host: what is under way, what has just begun, what
                      ///< waits
    Status before;    ///< the status as it stood before this step; Loop::status() is the new one
    TimePoint now;    ///< when the host was looked at
    std::optional<TimePoint> wake;  ///< when time alone will make a difference; see earliest_wake()
};

/// The same three steps as a pass (observe, plan, apply), for somebody who must never wait for one server
/// while another needs him. Each step looks once and begins all that may begin; what takes its time (a game
/// that does not want to stop) goes on meanwhile, and nothing else is done about that server until it has
/// ended.
///
/// Level-triggered: a step decides from what it sees, never from what woke it up.
class Loop {
  public:
    Loop(Host& host, Status status) : host_(host), status_(std::move(status)) {}

    /// Observes, plans, begins. `source_error`: why the source's own revision is not the one in force; empty:
    /// it is. The error is the host's: nothing was begun, and all that was said remains.
    std::expected<StepResult, std::string> step(std::shared_ptr<const Desired> desired,
                                                const std::string& source_error);

    /// Takes what has ended and begins what waited for it, without ever blocking. True when something has
    /// ended: the host is not what the last step saw.
    bool collect();

    /// Something is under way.
    bool busy() const { return !rounds_.empty(); }
    /// How many actions are under way or wait for one that is.
    std::size_t open_actions() const;

    const Status& status() const { return status_; }
    /// What another pass has left behind meanwhile. Not while anything is under way.
    void set_status(Status status) { status_ = std::move(status); }
    /// There is no revision at all that a step could be made with.
    void set_source_error(std::string error) { status_.source_error = std::move(error); }

  private:
    /// What one step has begun. Stays where it is: the host and the schedule refer to it.
    struct Round {
        Round(std::shared_ptr<const Desired> asked, Plan begun)
            : desired(std::move(asked)), plan(std::move(begun)), schedule(plan) {}
        std::shared_ptr<const Desired> desired;
        Plan plan;
        Schedule schedule;
    };

    std::set<Subject> worked_on() const;
    /// What has ended for subjects with which nothing else is going on: only the whole of it tells a start
    /// from the correction of a failure.
    Ended take_ended(const std::set<Subject>& still_at_it);
    void begin(std::shared_ptr<const Desired> desired, Plan plan);
    void note(const Round& round, const Outcome& outcome);

    Host& host_;
    Status status_;
    std::vector<std::unique_ptr<Round>> rounds_;
    Ended ended_;  ///< since the last step
};

/// The part of a plan that may begin while the given subjects are being worked on: without their actions,
/// without what comes after those, and, while anything is under way, without removing generations that it may
/// need.
Plan part_beside(const Plan& plan, const std::set<Subject>& worked_on);

}  // namespace left4me
