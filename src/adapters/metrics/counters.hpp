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

/// Counters since the start of the daemon, under controller-runtime's names.
class Counters {
  public:
    using Seconds = std::chrono::duration<double>;

    Counters();

    /// A reconcile was requested.
    void added() { ++adds_; }
    /// The number of pending requests.
    void depth(std::size_t waiting) { depth_ = waiting; }
    /// A reconcile begins; it was requested `waited` ago.
    void began(Seconds waited);

    enum class Result { Success, Requeue, RequeueAfter, Error };
    /// A reconcile has ended. Requeue: it will run again immediately; RequeueAfter: something waits for its
    /// time.
    void ended(Seconds took, Result result);
    /// A retry before the resync, because of a failure.
    void retried() { ++retries_; }
    /// A reconcile is in progress.
    bool working() const { return working_; }

    /// The actions on the host, from the plan and its outcomes.
    void actions(const Plan& plan, std::span<const Outcome> outcomes);
    /// Corrections of drift are counted from their events.
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
