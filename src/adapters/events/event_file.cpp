#include "adapters/events/event_file.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "adapters/events/lines.hpp"
#include "adapters/store/state_files.hpp"
#include "reconciler/crashes.hpp"

namespace left4me {

namespace {

using json = nlohmann::ordered_json;

/// Text from others may be arbitrarily long.
constexpr std::size_t max_message = 4096;

}  // namespace

std::filesystem::path events_path(const Paths& paths) { return paths.status() / "events.jsonl"; }

std::string event_line(const Event& event) {
    json object;
    object["at"] = time_to_json(event.at);
    object["subject"] = event.subject;
    object["type"] = event.warning ? "Warning" : "Normal";
    object["reason"] = event.reason;
    object["message"] = event.message.substr(0, max_message);
    object["revision"] = event.revision;
    object["actor"] = event.actor.empty() ? json(nullptr) : json(event.actor);
    object["drift"] = event.drift;
    object["count"] = event.count;
    object["last"] = time_to_json(std::max(event.at, event.last));
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
        // Added later.
        event.count = object.value("count", 1U);
        event.last = time_from_json(object.value("last", "")).value_or(event.at);
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

std::vector<Event> merge_crashes(std::vector<Event> events) {
    std::map<std::string, std::size_t> latest;  // by subject
    std::vector<bool> merged(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        Event& event = events[i];
        if (event.reason != crashed_reason) continue;
        const auto [place, is_first] = latest.try_emplace(event.subject, i);
        const std::size_t before = std::exchange(place->second, i);
        if (is_first || event.at - events[before].last >= crashes_forgotten_after) continue;
        event.at = events[before].at;
        event.count += events[before].count;
        merged[before] = true;
    }
    std::vector<Event> rest;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!merged[i]) rest.push_back(std::move(events[i]));
    }
    return rest;
}

}  // namespace left4me
