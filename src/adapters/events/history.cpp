#include "adapters/events/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/events/lines.hpp"
#include "adapters/store/state_files.hpp"

namespace left4me {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t max_message = 4096;
constexpr std::streamoff tail_bytes = std::streamoff{256} << 10U;

json time_or_null(const std::optional<TimePoint>& time) {
    return time ? json(time_to_json(*time)) : json(nullptr);
}

std::optional<TimePoint> to_time(const json& value) {
    return value.is_null() ? std::nullopt : time_from_json(value.get<std::string>());
}

std::string to_line(const HistoryEntry& entry) {
    json object;
    object["revision"] = entry.origin.revision;
    object["author"] = entry.origin.author.empty() ? json(nullptr) : json(entry.origin.author);
    object["subject"] = entry.origin.subject.empty() ? json(nullptr) : json(entry.origin.subject);
    object["committedAt"] = time_or_null(entry.origin.committed_at);
    object["firstAttempt"] = time_to_json(entry.first_attempt);
    object["settledAt"] = time_or_null(entry.settled_at);
    object["result"] = entry.result;
    object["message"] = entry.message.substr(0, max_message);
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_or_empty(const json& value) { return value.is_null() ? "" : value.get<std::string>(); }

std::optional<HistoryEntry> parse(const std::string& line) {
    try {
        const json object = json::parse(line);
        HistoryEntry entry;
        entry.origin.revision = object.at("revision").get<std::string>();
        entry.origin.author = text_or_empty(object.at("author"));
        entry.origin.subject = text_or_empty(object.at("subject"));
        entry.origin.committed_at = to_time(object.at("committedAt"));
        entry.first_attempt =
            time_from_json(object.at("firstAttempt").get<std::string>()).value_or(TimePoint{});
        entry.settled_at = to_time(object.at("settledAt"));
        entry.result = object.at("result").get<std::string>();
        entry.message = object.at("message").get<std::string>();
        return entry;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

/// The last line about a revision; a pass reads only the end of the file.
std::optional<HistoryEntry> last_entry(const Paths& paths, const std::string& revision) {
    std::ifstream stream(history_path(paths), std::ios::binary | std::ios::ate);
    if (!stream) return std::nullopt;
    const std::streamoff size = stream.tellg();
    stream.seekg(std::max(std::streamoff{0}, size - tail_bytes));
    std::optional<HistoryEntry> last;
    for (std::string line; std::getline(stream, line);) {
        if (line.find(revision) == std::string::npos) continue;
        if (auto entry = parse(line); entry && entry->origin.revision == revision) last = std::move(entry);
    }
    return last;
}

}  // namespace

RevisionResult revision_result(const Plan& remaining, std::span<const Outcome> outcomes) {
    const auto first = [&remaining](const auto& matches) {
        const auto found = std::find_if(remaining.actions.begin(), remaining.actions.end(), matches);
        return found == remaining.actions.end() ? nullptr : &*found;
    };
    const auto sentence = [](const Action& action) {
        return fmt::format("{}: {}, {}", to_string(action.subject), to_string(action.verb), action.reason);
    };
    const auto failure = std::find_if(outcomes.begin(), outcomes.end(), [](const Outcome& outcome) {
        return has_failed(outcome) && outcome.reason != FailureKind::PrerequisiteFailed;
    });
    if (failure != outcomes.end()) return {"Failed", failure->message};
    if (const Action* action = first([](const Action& one) { return one.code == HoldReason::BackOff; }))
        return {"Failed", sentence(*action)};
    if (const Action* action = first([](const Action& one) { return is_effect(one.verb); }))
        return {"Progressing", sentence(*action)};
    if (const Action* action = first([](const Action& one) { return one.verb == Verb::Hold; }))
        return {"Held", sentence(*action)};
    return {"Applied", ""};
}

std::expected<void, std::string> note_history(const Paths& paths, const RevisionOrigin& origin,
                                              const RevisionResult& verdict, bool is_new, TimePoint now) {
    if (origin.revision.empty()) return {};
    std::optional<HistoryEntry> last = last_entry(paths, origin.revision);
    if (last && !is_new && (last->result == verdict.result || last->result == "Applied")) return {};
    HistoryEntry entry;
    entry.origin = origin;
    entry.first_attempt = last && !is_new ? last->first_attempt : now;
    if (verdict.result != "Progressing") entry.settled_at = now;
    entry.result = verdict.result;
    entry.message = verdict.message;
    return append_lines(history_path(paths), {to_line(entry)});
}

std::expected<void, std::string> note_refused(const Paths& paths, const RevisionOrigin& origin,
                                              const RevisionResult& verdict, TimePoint now) {
    const std::optional<HistoryEntry> last = last_entry(paths, origin.revision);
    return note_history(paths, origin, verdict, last && last->result == "Applied", now);
}

std::vector<HistoryEntry> read_history(const Paths& paths) {
    std::vector<HistoryEntry> entries;
    for (const std::string& line : read_lines(history_path(paths))) {
        auto entry = parse(line);
        if (!entry) continue;
        // A new attempt at a revision that was replaced meanwhile is a separate entry.
        const auto same = std::find_if(entries.rbegin(), entries.rend(), [&entry](const HistoryEntry& one) {
            return one.origin.revision == entry->origin.revision && one.first_attempt == entry->first_attempt;
        });
        if (same != entries.rend()) {
            *same = std::move(*entry);
        } else {
            entries.push_back(std::move(*entry));
        }
    }
    std::reverse(entries.begin(), entries.end());
    return entries;
}

std::filesystem::path history_path(const Paths& paths) { return paths.status() / "history.jsonl"; }

}  // namespace left4me
