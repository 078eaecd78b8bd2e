#include "adapters/events/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

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

/// What the game ended with. Until then the event says only that it did.
void name_end(Event& event) {
    if (!event.crash || !event.subject.starts_with(server_prefix)) return;
    const TimePoint since = std::max(event.at - max_memory, event.up_since.value_or(TimePoint{}));
    const auto end = last_end(event.subject.substr(server_prefix.size()), since);
    if (!end) return;
    event.message = crash_text(*end, event.up_since);
    event.crash = false;
}

/// The journal may tell more of it.
bool is_unnamed(const Event& event) { return event.crash || (event.drift && event.actor.empty()); }

/// One search of the journal per server, however many events it has.
class Culprits {
  public:
    void name(Event& event) {
        if (!event.drift || !event.actor.empty() || !event.subject.starts_with(server_prefix)) return;
        const std::string server = event.subject.substr(server_prefix.size());
        auto known = found_.find(server);
        if (known == found_.end()) {
            const TimePoint earliest = event.at - max_memory;
            const TimePoint since = std::max(earliest, event.right_at.value_or(event.at) - lead);
            known = found_.emplace(server, find_attribution(server, since)).first;
        }
        if (!known->second) return;
        event.actor = known->second->user;
        event.message += fmt::format("; {} ran {}", known->second->user, known->second->command);
    }

  private:
    std::map<std::string, std::optional<Attribution>> found_;
};

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
        Culprits culprits;
        for (Event& event : events) {
            culprits.name(event);
            name_end(event);
        }
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
