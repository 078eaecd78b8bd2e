#pragma once

#include <cstddef>
#include <vector>

#include "reconciler/host.hpp"
#include "reconciler/plan.hpp"

namespace left4me {

/// Which actions of a plan may begin now: pure bookkeeping, driven by the caller that executes them. An
/// action whose prerequisite failed never begins; everything else continues, so one broken server delays no
/// other.
class Schedule {
  public:
    explicit Schedule(const Plan& plan);

    /// The actions that may begin and were not returned before, in the plan's order. Marks them as begun.
    std::vector<ActionIndex> take_ready();
    void finished(const Outcome& outcome);
    /// What has not been handed out never begins, and has no outcome.
    void drop_waiting();
    /// Nothing is ready and nothing is in flight.
    bool done() const;
    /// The action is in flight, or may still begin.
    bool is_open(ActionIndex action) const { return states_[action] != State::Ended; }
    /// It was handed out and has not ended.
    bool is_under_way(ActionIndex action) const { return states_[action] == State::Begun; }
    /// One outcome for each effect of the plan; those whose prerequisite failed have reason
    /// "PrerequisiteFailed".
    std::vector<Outcome> outcomes() const;

  private:
    enum class State { Waiting, Ready, Begun, Ended };
    void fail_dependents(ActionIndex failed);

    const Plan* plan_;
    std::vector<State> states_;
    std::vector<std::size_t> missing_;                  ///< prerequisites that have not ended yet
    std::vector<std::vector<ActionIndex>> dependents_;  ///< the reverse of Action::after
    std::vector<ActionIndex> ready_;
    std::vector<Outcome> outcomes_;  ///< one per action; those of Holds and Reports are not used
    std::size_t under_way_ = 0;
};

}  // namespace left4me
