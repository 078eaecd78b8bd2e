#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/paths.hpp"
#include "reconciler/events.hpp"

namespace left4me {

/// state/events.jsonl: one JSON object a line, {at, subject, type: Normal|Warning, reason, message, revision,
/// actor, drift, count, last}. Fields are added, never renamed; docs/events.md describes them.
std::filesystem::path events_path(const Paths& paths);

std::string event_line(const Event& event);
/// nullopt for a line that is truncated or not an event.
std::optional<Event> parse_event(const std::string& line);

std::expected<void, std::string> append_events(const Paths& paths, std::span<const Event> events);
/// The oldest first.
std::vector<Event> read_events(const Paths& paths);

/// Crashes of one server, each less than ten minutes after the one before, become one event, in the place of
/// the last: `at` is the first time, `count` how often. So a crash loop is one event.
std::vector<Event> merge_crashes(std::vector<Event> events);

}  // namespace left4me
