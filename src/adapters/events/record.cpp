#include "adapters/events/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "adapters/events/attribution.hpp"
#include "adapters/events/crash.hpp"
#include "adapters/events/event_file.hpp"
#include "adapters/events/journal.hpp"

namespace left4me {

namespace {

using namespace std::chrono_literals;

/// Between two passes of the timer nothing was observed; but a command of an hour ago is not evidence.
constexpr std::chrono::minutes max_memory = 10min;
/// A stop takes up to 15 s, and a daemon observes several times until it is over.
constexpr std::chrono::seconds lead = 30s;
/// A correction may be faster than the journal line that shows why it was needed.
constexpr std::chrono::milliseconds journal_lag = 400ms;

constexpr std::string_view server_prefix = "server/";

bool is_server(const Event& event) { return event.subject.starts_with(server_prefix); }
std::string server_of(const Event& event) { return event.subject.substr(server_prefix.size()); }

/// It is not known yet how the game ended: the event says only that it did.
bool is_unexplained(const Event& event) { return event.crash && is_server(event); }
bool is_unattributed(const Event& event) { return event.drift && event.actor.empty() && is_server(event); }

/// Whether the journal may tell more of it.
bool is_unnamed(const Event& event) { return is_unexplained(event) || is_unattributed(event); }

void explain_crashes(std::span<Event> events) {
    if (std::none_of(events.begin(), events.end(), is_unexplained)) return;
    const GameEnds ends;
    for (Event& event : events) {
        if (!is_unexplained(event)) continue;
        const TimePoint since = std::max(event.at - max_memory, event.up_since.value_or(TimePoint{}));
        const auto end = ends.last(server_of(event), since);
        if (!end) continue;
        event.message = crash_text(*end, event.up_since);
        event.crash = false;
    }
}

TimePoint earliest_cause(const Event& event) {
    return std::max(event.at - max_memory, event.right_at.value_or(event.at) - lead);
}

void attribute_drift(std::span<Event> events) {
    std::optional<TimePoint> earliest;
    for (const Event& event : events) {
        if (is_unattributed(event))
            earliest = std::min(earliest.value_or(TimePoint::max()), earliest_cause(event));
    }
    if (!earliest) return;
    const std::vector<Attribution> commands = commands_by_hand(*earliest);
    for (Event& event : events) {
        if (!is_unattributed(event)) continue;
        const Attribution* by = find_attribution(commands, server_of(event), earliest_cause(event));
        if (by == nullptr) continue;
        event.actor = by->user;
        event.message += fmt::format("; {} ran {}", by->user, by->command);
    }
}

}  // namespace

std::expected<void, std::string> record(const Paths& paths, std::vector<Event> events,
                                        const std::string& actor) {
    if (events.empty()) return {};
    for (Event& event : events) {
        // Nobody asks for a crash, either.
        if (!event.drift && !event.crash && event.actor.empty()) event.actor = actor;
    }
    for (const auto pause : {0ms, journal_lag}) {
        if (std::none_of(events.begin(), events.end(), is_unnamed)) break;
        std::this_thread::sleep_for(pause);
        attribute_drift(events);
        explain_crashes(events);
    }
    log_events(events);
    return append_events(paths, events);
}

PassEnd end_of_pass(const Status& before, const std::string& revision, const Intent& intent,
                    const CompletedActions& ended, const Plan& remaining, const Status& after) {
    return {.events = events_of(before, revision, intent, ended.plan, ended.outcomes, after),
            .verdict = revision_result(remaining, ended.outcomes),
            .is_new = before.last_attempted_revision != after.last_attempted_revision,
            .at = after.last_pass.value_or(TimePoint{}),
            .revisions = {},
            .actor = {}};
}

std::expected<void, std::string> record_pass(const Paths& paths, PassEnd end) {
    const auto recorded = record(paths, std::move(end.events), end.actor);
    if (const auto& refused = end.revisions.refused) {
        if (auto noted = note_refused(paths, refused->first, refused->second, end.at); !noted) return noted;
    }
    if (auto noted = note_history(paths, end.revisions.in_force, end.verdict, end.is_new, end.at); !noted)
        return noted;
    return recorded;
}

}  // namespace left4me
