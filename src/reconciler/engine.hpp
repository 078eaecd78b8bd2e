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

/// What the host is to be brought to.
struct Request {
    std::shared_ptr<const Desired> desired = std::make_shared<const Desired>();
    Intent intent;
    /// Why the source's own revision is not the one in force; empty: it is.
    std::string source_error;
    /// run(): until builds have ended, and what waited for them is done.
    bool await_builds = false;
};

/// Actions that have ended, with the plan they were actions of: `outcomes[i].action` is an index into
/// `plan.actions`.
struct Ended {
    Plan plan;
    std::vector<Outcome> outcomes;
};

void append(Ended& to, Ended more);

/// What one step has found out.
struct StepResult {
    /// Since the step before, of subjects that nobody works on any more: what is learned from.
    Ended ended;
    /// All that has ended since the step before: what is told to whoever watches.
    Ended news;
    Target target;
    Observed observed;
    Plan difference;  ///< between the two: what is under way, what has just begun, what waits
    Status before;    ///< the status as it was before this step; Engine::status() is the new one
    std::optional<TimePoint> wake;  ///< when time alone will make a difference; see earliest_wake()
};

/// What a run to completion has done.
struct RunResult {
    Plan planned;  ///< what differed when it began
    Ended ended;   ///< everything that was attempted
    Target target;
    Observed observed;  ///< after everything had ended
    Plan remaining;     ///< what still differs
    Status before;
};

/// Observes, resolves, plans, begins, and learns from what ended: for the daemon, the timer and the command
/// line alike. A step looks once and begins all that may begin. What takes its time (a game that does not
/// want to stop) goes on meanwhile, and nothing else is done about that server until it has ended.
///
/// Level-triggered: a step decides from what it sees, never from what woke it up.
class Engine {
  public:
    Engine(Host& host, Status status) : host_(host), status_(std::move(status)) {}

    /// Everything but beginning. The error is the host's; everything stays as it was last reported.
    std::expected<StepResult, std::string> look(const Request& request);

    /// look(), then begins what may begin.
    std::expected<StepResult, std::string> step(const Request& request);

    /// Steps until nothing is under way and nothing more can be begun, for whoever has a host for itself:
    /// tests and benchmarks. The error is the host's: nothing was changed.
    std::expected<RunResult, std::string> run(Request request);

    /// Takes what has ended and begins what waited for it, without ever blocking. True when something has
    /// ended: the host is not what the last step saw.
    bool collect();

    /// Something is under way.
    bool busy() const { return !in_flight_.empty(); }
    /// Files are being changed: nobody else may decide anything meanwhile.
    bool changes_files() const;
    /// Forgets what waits for something that is under way: the next step decides it anew. Whoever lets others
    /// decide (by releasing the pass lock) calls this before, and then collect() begins nothing.
    void drop_waiting();
    /// What is under way or waits for something that is.
    std::vector<Action> open_actions() const;

    const Status& status() const { return status_; }
    /// What another pass has left behind meanwhile. What has ended here since the last step is not lost: the
    /// next step applies it to this status.
    void set_status(Status status) { status_ = std::move(status); }
    /// There is no revision at all that a step could be made with.
    void set_source_error(std::string error) { status_.source_error = std::move(error); }

  private:
    /// What one step has begun. Must not move: the host and the schedule refer to it.
    struct InFlight {
        explicit InFlight(Plan begun) : plan(std::move(begun)), schedule(plan) {}
        Plan plan;
        Schedule schedule;
    };

    std::set<Subject> worked_on() const;
    /// What has ended for subjects with which nothing else is going on: only the whole of it tells a start
    /// from the correction of a failure.
    Ended take_ended(const std::set<Subject>& still_at_it);
    /// Plans and reports, from what was seen.
    void assess(const Request& request, StepResult& result);
    void begin(Plan plan);
    /// As collect(), but blocks until something has ended.
    void wait();
    void note(const std::vector<Outcome>& outcomes);
    void note(const InFlight& flight, const Outcome& outcome);

    Host& host_;
    Status status_;
    std::vector<std::unique_ptr<InFlight>> in_flight_;
    Ended ended_;  ///< since the last step, or of a subject that is still being worked on
    Ended news_;   ///< since the last step
};

/// The part of a plan that may begin while the subjects in `worked_on` are being worked on: without their
/// actions, without what comes after those, and, while anything is under way, without removing generations
/// that it may need. Units of servers in `stopping` are left alone: a start would cancel the stop that
/// somebody waits for, a person or another engine, and another stop would end as that one does.
Plan part_beside(const Plan& plan, const std::set<Subject>& worked_on,
                 const std::set<std::string>& stopping = {});

}  // namespace left4me
