#pragma once

#include <cstddef>
#include <vector>

#include "reconciler/host.hpp"
#include "reconciler/plan.hpp"

namespace left4me {

/// Which actions of a plan may begin now: pure bookkeeping, driven by whoever carries them out.
/// An action whose prerequisite failed is never begun; everything else goes on: one broken server delays no other.
class Schedule {
  public:
    explicit Schedule(const Plan& plan);

    /// The actions that may begin and have not been handed out yet, in the plan's order. Marks them as begun.
    std::vector<ActionIndex> take_ready();
    void finished(const Outcome& outcome);
    /// Nothing is ready and nothing is under way.
    bool done() const;
    /// One outcome for each effect of the plan; those never begun have reason "PrerequisiteFailed".
    std::vector<Outcome> outcomes() const;

  private:
    enum class State { Waiting, Begun, Done, Failed };
    const Plan* plan_;
    std::vector<State> states_;
    std::vector<Outcome> outcomes_;
    std::size_t under_way_ = 0;
};

/// Carries a plan out: hands ready actions to the host until none is left. Returns Schedule::outcomes().
std::vector<Outcome> apply(Host& host, const Desired& desired, const Plan& plan);

}  // namespace left4me
