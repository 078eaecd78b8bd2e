#include "adapters/events/event_file.hpp"

#include <nlohmann/json.hpp>

#include "adapters/events/lines.hpp"
#include "adapters/store/state_files.hpp"

namespace left4me {

namespace {

using json = nlohmann::ordered_json;

/// Somebody else's words may be as long as they like.
constexpr std::size_t longest_message = 4096;

}  // namespace

std::filesystem::path events_path(const Paths& paths) { return paths.status() / "events.jsonl"; }

std::string event_line(const Event& event) {
    json object;
    object["at"] = time_to_json(event.at);
    object["subject"] = event.subject;
    object["type"] = event.warning ? "Warning" : "Normal";
    object["reason"] = event.reason;
    object["message"] = event.message.substr(0, longest_message);
    object["revision"] = event.revision;
    object["actor"] = event.actor.empty() ? json(nullptr) : json(event.actor);
    object["drift"] = event.drift;
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Event> parse_event(const std::string& line) {
    try {
        const json object = json::parse(line);
        Event event;
        event.at = time_from_json(object.at("at").get<std::string>()).value_or(TimePoint{});
        event.subject = object.at("subject").get<std::string>();
        event.warning = object.at("type").get<std::string>() == "Warning";
        event.reason = object.at("reason").get<std::string>();
        event.message = object.at("message").get<std::string>();
        event.revision = object.at("revision").get<std::string>();
        if (!object.at("actor").is_null()) event.actor = object.at("actor").get<std::string>();
        event.drift = object.at("drift").get<bool>();
        return event;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

std::expected<void, std::string> append_events(const Paths& paths, std::span<const Event> events) {
    std::vector<std::string> lines;
    lines.reserve(events.size());
    for (const Event& event : events) lines.push_back(event_line(event));
    return append_lines(events_path(paths), lines);
}

std::vector<Event> read_events(const Paths& paths) {
    std::vector<Event> events;
    for (const std::string& line : read_lines(events_path(paths))) {
        if (auto event = parse_event(line)) events.push_back(std::move(*event));
    }
    return events;
}

}  // namespace left4me
