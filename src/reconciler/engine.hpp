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

/// The state that the host should reach.
struct Request {
    std::shared_ptr<const Desired> desired = std::make_shared<const Desired>();
    Intent intent;
    /// Why the source's newest revision is not in force; empty: it is.
    std::string source_error;
    std::size_t keep_artifacts = 1;  ///< Target::keep_artifacts
};

/// Actions that have ended, with the plan that they belong to: `outcomes[i].action` is an index into
/// `plan.actions`.
struct CompletedActions {
    Plan plan;
    std::vector<Outcome> outcomes;
};

void append(CompletedActions& to, CompletedActions more);

/// Something has ended, and nothing of it has reached its unit.
bool reached_no_unit(const CompletedActions& ended);

/// The results of one step.
struct StepResult {
    /// Since the step before, of subjects that nobody works on any more: what is learned from.
    CompletedActions ended;
    /// All that has ended since the step before: what is told to whoever watches.
    CompletedActions news;
    Target target;
    Observed observed;
    Plan difference;  ///< between the two: actions in flight, actions that have just begun, and waiting ones
    Status before;    ///< the status before this step; Engine::status() is the new one
    std::optional<TimePoint> wake;  ///< when the passage of time will make a difference; see earliest_wake()
};

/// Observes, resolves, plans, begins actions and applies the results of those that have ended: for the
/// daemon, the timer and the command line. A step observes once and begins every action that may begin. A
/// slow action (a game that takes long to stop) continues meanwhile, and nothing else is done to that server
/// until it has ended. Level-triggered: a step decides from what it observes, never from what woke it up.
class Engine {
  public:
    Engine(Host& host, Status status) : host_(host), status_(std::move(status)) {}

    /// Everything except beginning actions. The error is the host's; the status stays as last reported.
    std::expected<StepResult, std::string> observe(const Request& request);

    /// observe(), then begins every action that may begin.
    std::expected<StepResult, std::string> step(const Request& request);

    /// Takes completed actions and begins those that waited for them; never blocks. True if something has
    /// ended: the host has changed since the last step observed it.
    bool poll_completions();

    /// What has ended since the last step has failed before it reached its unit.
    bool has_reached_no_unit() const { return reached_no_unit(news_); }

    /// An action is in flight.
    bool busy() const { return !in_flight_.empty(); }
    /// Files are being changed: nobody else may decide anything meanwhile.
    bool changes_files() const;
    /// Forgets what waits for something that is under way: the next step decides it anew. Whoever lets others
    /// decide (by releasing the pass lock) calls this before, and then poll_completions() begins nothing.
    void drop_waiting();
    /// What is under way or waits for something that is.
    std::vector<Action> open_actions() const;

    const Status& status() const { return status_; }
    /// What another pass has left behind meanwhile. What has ended here since the last step is not lost: the
    /// next step applies it to this status.
    void set_status(Status status) { status_ = std::move(status); }
    /// For when there is no revision to make a step with.
    void set_source_error(std::string error) { status_.source_error = std::move(error); }

  private:
    /// The actions that one step has begun. Must not move: the host and the schedule refer to it.
    struct InFlight {
        explicit InFlight(Plan begun) : plan(std::move(begun)), schedule(plan) {}
        Plan plan;
        Schedule schedule;
    };

    std::set<Subject> worked_on() const;
    /// The completed actions of subjects without actions in flight. Only the complete set distinguishes a
    /// start from a recovery.
    CompletedActions take_ended(const std::set<Subject>& still_at_it);
    /// Plans and computes the status from the observation.
    void assess(const Request& request, StepResult& result);
    void begin(Plan plan);
    void note(const std::vector<Outcome>& outcomes);
    void note(const InFlight& flight, const Outcome& outcome);

    Host& host_;
    Status status_;
    std::vector<std::unique_ptr<InFlight>> in_flight_;
    CompletedActions ended_;  ///< since the last step, or of a subject that is still being worked on
    CompletedActions news_;   ///< since the last step
};

/// The part of a plan that may begin while the subjects in `worked_on` are being worked on: without their
/// actions, without what comes after those, and, while anything is under way, without removing artifacts
/// that it may need. Units of servers in `stopping` are left alone: a start would cancel the stop that
/// somebody waits for, a person or another engine, and another stop would end as that one does.
Plan part_beside(const Plan& plan, const std::set<Subject>& worked_on,
                 const std::set<std::string>& stopping = {});

}  // namespace left4me
