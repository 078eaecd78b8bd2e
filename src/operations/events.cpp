#include "operations/events.hpp"

#include "adapters/events/event_file.hpp"
#include "adapters/events/record.hpp"
#include "adapters/store/status_file.hpp"

namespace left4me::operations {

EventFeed::EventFeed(const Context& context, const std::string& server)
    : paths_(context.paths),
      subject_(server.empty() ? "" : "server/" + server),
      watch_(paths_),
      tail_(events_path(paths_)) {}

bool EventFeed::is_meant(const Event& event) const { return subject_.empty() || event.subject == subject_; }

std::vector<Event> EventFeed::past() const {
    std::vector<Event> all = read_events(paths_);
    std::erase_if(all, [this](const Event& event) { return !is_meant(event); });
    return merge_crashes(std::move(all));
}

std::vector<Event> EventFeed::news() {
    std::vector<Event> events;
    for (const std::string& line : tail_.new_lines()) {
        auto event = parse_event(line);
        if (event && is_meant(*event)) events.push_back(std::move(*event));
    }
    return events;
}

std::string event_json(const Event& event) { return event_line(event); }

std::vector<std::string> server_subjects(const std::vector<std::string>& servers) {
    std::vector<std::string> subjects;
    for (const std::string& server : servers) subjects.push_back("server/" + server);
    return subjects;
}

void record_event(const Context& context, const std::vector<std::string>& subjects, const char* reason,
                  const std::string& message) {
    std::vector<Event> events;
    for (const std::string& subject : subjects) {
        Event event;
        event.at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        event.subject = subject;
        event.reason = reason;
        event.message = message;
        event.revision = load_status(context.paths).last_attempted_revision;
        events.push_back(std::move(event));
    }
    if (auto recorded = record(context.paths, events, actor_of(context.caller)); !recorded)
        context.notice("the event could not be recorded: " + recorded.error());
}

}  // namespace left4me::operations
