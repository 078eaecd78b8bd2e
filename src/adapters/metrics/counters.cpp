#include "adapters/metrics/counters.hpp"

#include <array>

namespace left4me {

namespace {

// The buckets of controller-runtime and of client-go's workqueue, so that existing dashboards work.
constexpr std::array<double, 37> pass_bounds{
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25,
    1.5,   1.75, 2,     2.5,  3,   3.5,  4,   4.5,  5,   6,    7,   8,    9,   10,  15,  20,  25,  30};
constexpr std::array<double, 11> queue_bounds{1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100};

const char* word(Counters::Result result) {
    switch (result) {
        case Counters::Result::Success:
            return "success";
        case Counters::Result::Requeue:
            return "requeue";
        case Counters::Result::RequeueAfter:
            return "requeue_after";
        case Counters::Result::Error:
            return "error";
    }
    return "error";
}

constexpr std::array every_result{Counters::Result::Success, Counters::Result::Requeue,
                                  Counters::Result::RequeueAfter, Counters::Result::Error};

}  // namespace

Counters::Counters() : pass_time_(pass_bounds), queue_time_(queue_bounds), work_time_(queue_bounds) {
    for (const Result result : every_result) results_[result] = 0;
}

void Counters::began(Seconds waited) {
    queue_time_.observe(waited.count());
    working_ = true;
}

void Counters::ended(Seconds took, Result result) {
    working_ = false;
    ++results_[result];
    pass_time_.observe(took.count());
    work_time_.observe(took.count());
}

void Counters::actions(const Plan& plan, std::span<const Outcome> outcomes) {
    for (const Outcome& outcome : outcomes) {
        if (outcome.reason == FailureKind::PrerequisiteFailed || outcome.reason == FailureKind::Occupied)
            continue;
        ++actions_[{plan.actions[outcome.action].verb, outcome.done}];
    }
}

void Counters::events(std::span<const Event> events) {
    for (const Event& event : events) {
        if (event.drift) ++drift_[event.reason];
    }
}

void Counters::write(Exposition& out) const {
    const Exposition::Labels controller{{"controller", "server"}};
    out.family("controller_runtime_reconcile_total", "counter", "Passes by result.");
    for (const auto& [result, count] : results_)
        out.sample({{"controller", "server"}, {"result", word(result)}}, static_cast<double>(count));
    out.family("controller_runtime_reconcile_errors_total", "counter", "Passes in which something failed.");
    out.sample(controller, static_cast<double>(results_.at(Result::Error)));
    out.family("controller_runtime_reconcile_time_seconds", "histogram", "How long passes took.");
    out.histogram(controller, pass_time_);
    out.family("controller_runtime_max_concurrent_reconciles", "gauge", "Passes that may run at once.");
    out.sample(controller, 1);
    out.family("controller_runtime_active_workers", "gauge", "Passes under way.");
    out.sample(controller, working_ ? 1 : 0);

    const Exposition::Labels queue{{"controller", "server"}, {"name", "server"}};
    out.family("workqueue_depth", "gauge", "Reconciles waiting in the queue.");
    out.sample(queue, static_cast<double>(depth_));
    out.family("workqueue_adds_total", "counter", "How often a reconcile was requested.");
    out.sample(queue, static_cast<double>(adds_));
    out.family("workqueue_queue_duration_seconds", "histogram",
               "From the request to the start of the reconcile.");
    out.histogram(queue, queue_time_);
    out.family("workqueue_work_duration_seconds", "histogram", "Duration of a reconcile.");
    out.histogram(queue, work_time_);
    out.family("workqueue_retries_total", "counter", "Retries after failures.");
    out.sample(queue, static_cast<double>(retries_));

    out.family("left4me_actions_total", "counter", "Actions on the host by verb and result.");
    for (const auto& [action, count] : actions_) {
        out.sample({{"result", action.second ? "done" : "failed"}, {"verb", to_string(action.first)}},
                   static_cast<double>(count));
    }
    out.family("left4me_drift_corrections_total", "counter",
               "Corrections of changes that no manifest asked for.");
    for (const auto& [reason, count] : drift_) out.sample({{"reason", reason}}, static_cast<double>(count));
}

}  // namespace left4me
