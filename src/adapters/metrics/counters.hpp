#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "adapters/metrics/exposition.hpp"
#include "reconciler/events.hpp"

namespace left4me {

/// What the daemon counts from its start on, under the names that controller-runtime gave such things.
class Counters {
  public:
    using Seconds = std::chrono::duration<double>;

    Counters();

    /// Something has asked for a pass. Returns at once what workqueue_depth is made of.
    void added() { ++adds_; }
    /// So many wishes are waiting now.
    void depth(std::size_t waiting) { depth_ = waiting; }
    /// A pass begins: it was wished for `waited` ago.
    void began(Seconds waited);

    enum class Result { Success, Requeue, RequeueAfter, Error };
    /// A pass has ended. Requeue: it will look again at once; RequeueAfter: something waits for its time.
    void ended(Seconds took, Result result);
    /// Something is tried again before the resync, because it failed.
    void retried() { ++retries_; }
    /// A pass begins and has not ended.
    bool working() const { return working_; }

    /// What was done to the host, from the plan and how its actions ended.
    void actions(const Plan& plan, std::span<const Outcome> outcomes);
    /// Corrections of drift are counted from the events that tell of them.
    void events(std::span<const Event> events);

    void write(Exposition& out) const;

  private:
    std::uint64_t adds_ = 0;
    std::size_t depth_ = 0;
    std::uint64_t retries_ = 0;
    bool working_ = false;
    std::map<Result, std::uint64_t> results_;
    Histogram pass_time_;
    Histogram queue_time_;
    Histogram work_time_;
    std::map<std::pair<Verb, bool>, std::uint64_t> actions_;
    std::map<std::string, std::uint64_t> drift_;
};

}  // namespace left4me
