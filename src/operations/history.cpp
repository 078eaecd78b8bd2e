#include "operations/history.hpp"

#include "operations/server_view.hpp"

namespace left4me::operations {

namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::vector<HistoryEntry> history(const Context& context, std::size_t most) {
    std::vector<HistoryEntry> entries = read_history(context.paths);
    if (most != 0 && entries.size() > most) entries.resize(most);
    return entries;
}

Json history_json(const std::vector<HistoryEntry>& entries) {
    Json items = Json::array();
    for (const HistoryEntry& entry : entries) {
        Json item;
        item["revision"] = entry.origin.revision;
        item["author"] = text_or_null(entry.origin.author);
        item["subject"] = text_or_null(entry.origin.subject);
        item["committedAt"] = time_or_null(entry.origin.committed_at);
        item["firstAttempt"] = time_text(entry.first_attempt);
        item["settledAt"] = time_or_null(entry.settled_at);
        item["seconds"] =
            entry.settled_at
                ? Json(std::chrono::duration<double>(*entry.settled_at - entry.first_attempt).count())
                : Json(nullptr);
        item["result"] = entry.result;
        item["message"] = entry.message;
        items.push_back(std::move(item));
    }
    return {{"items", std::move(items)}};
}

}  // namespace left4me::operations
