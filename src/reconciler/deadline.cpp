#include "reconciler/deadline.hpp"

#include <fmt/format.h>

namespace left4me {

std::optional<TimePoint> deadline_of(const Rollout& rollout, const LocalTime& local, TimePoint since) {
    if (rollout.policy != RolloutPolicy::WhenEmpty || !rollout.has_deadline()) return std::nullopt;
    const TimePoint deadline =
        rollout.deadline ? since + *rollout.deadline : local.next(*rollout.deadline_at, since);
    return rollout.window ? first_within(*rollout.window, local, deadline) : deadline;
}

std::optional<TimePoint> latest_warning(const Rollout& rollout, TimePoint deadline, TimePoint now) {
    std::optional<TimePoint> latest;
    for (const std::chrono::seconds lead : rollout.warn) {
        const TimePoint moment = deadline - lead;
        if (moment <= now && (!latest || moment > *latest)) latest = moment;
    }
    return latest;
}

std::string left_text(TimePoint::duration left) {
    const auto minutes = std::chrono::round<std::chrono::minutes>(left).count();
    if (minutes > 0) return fmt::format("{} minute{}", minutes, minutes == 1 ? "" : "s");
    return fmt::format("{} seconds", std::chrono::ceil<std::chrono::seconds>(left).count());
}

}  // namespace left4me
