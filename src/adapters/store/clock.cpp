#include "adapters/store/clock.hpp"

#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime() is POSIX

#include <fstream>
#include <optional>

namespace left4me {
namespace {

constexpr std::chrono::seconds least_jump{1};

std::chrono::microseconds read(clockid_t clock) {
    timespec now{};
    (void)::clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) +
           std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(now.tv_nsec));
}

void move(TimePoint& time, std::chrono::microseconds by) {
    if (time != TimePoint{}) time += by;
}

void move(std::optional<TimePoint>& time, std::chrono::microseconds by) {
    if (time) move(*time, by);
}

void move(Backoff& backoff, std::chrono::microseconds by) {
    move(backoff.failed_at, by);
    move(backoff.retry_at, by);
    move(backoff.corrected_at, by);
}

}  // namespace

ClockMark read_clock() {
    ClockMark mark{TimePoint(read(CLOCK_REALTIME)), read(CLOCK_BOOTTIME), {}};
    std::ifstream("/proc/sys/kernel/random/boot_id") >> mark.boot;
    return mark;
}

std::chrono::microseconds jump_between(const ClockMark& earlier, const ClockMark& later) {
    if (earlier.boot.empty() || earlier.boot != later.boot) return {};
    const auto jump = (later.wall - earlier.wall) - (later.since_boot - earlier.since_boot);
    return std::chrono::abs(jump) < least_jump ? std::chrono::microseconds{} : jump;
}

void move_times(Status& status, std::chrono::microseconds by) {
    move(status.last_pass, by);
    for (auto& [name, server] : status.servers) {
        move(server.remembered.held_since, by);
        move(server.remembered.draining_since, by);
        move(server.remembered.warned, by);
        for (auto& [entry, from] : server.remembered.schedule) from += by;
        move(server.remembered.backoff, by);
        move(server.remembered.crashes.last_at, by);  // active_since is systemd's, which moves nothing
        move(server.remembered.trial.healthy, by);
        move(server.remembered.trial.failed_at, by);
        move(server.remembered.tick.slow_since, by);
        for (auto& [cvar, tried] : server.remembered.cvars) tried.at += by;
        for (Condition& condition : server.conditions) move(condition.last_transition, by);
    }
    for (auto& [name, backoff] : status.overlays) move(backoff, by);
    move(status.tuned.backoff, by);
    // A refresh is due at a time of the calendar, which the new clock tells better.
    for (auto& [name, refreshed] : status.refreshes) move(refreshed.backoff, by);
}

}  // namespace left4me
