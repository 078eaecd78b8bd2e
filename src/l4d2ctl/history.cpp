#include "operations/history.hpp"

#include <fmt/format.h>

#include "l4d2ctl/verbs.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string output = "table";
    unsigned lines = 20;
};

Paint paint_of(const std::string& result) {
    if (result == "Applied") return Paint::Green;
    return result == "Failed" || result == "Invalid" ? Paint::Red : Paint::Yellow;
}

std::string took_text(const HistoryEntry& entry) {
    if (!entry.settled_at) return "-";
    const double seconds = std::chrono::duration<double>(*entry.settled_at - entry.first_attempt).count();
    if (seconds < 60) return fmt::format("{:.1f}s", seconds);
    return operations::age_text(entry.first_attempt, *entry.settled_at);
}

std::string history_table(const std::vector<HistoryEntry>& entries, const Terminal& terminal) {
    std::vector<std::vector<Cell>> rows{heading({"REVISION", "RESULT", "WHEN", "TOOK", "AUTHOR", "WHAT"})};
    for (const HistoryEntry& entry : entries) {
        const std::string& why = entry.message.empty() ? entry.origin.subject : entry.message;
        rows.push_back({{entry.origin.revision.substr(0, 12), Paint::Bold},
                        {entry.result, paint_of(entry.result)},
                        {operations::time_text(entry.first_attempt)},
                        {took_text(entry)},
                        {printable(entry.origin.author.empty() ? "-" : entry.origin.author)},
                        {printable(why.substr(0, why.find('\n')))}});
    }
    return table(rows, terminal);
}

Result<Exit> history(Session& session, const Options& options) {
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    const std::vector<HistoryEntry> entries = operations::history(session, options.lines);
    if (options.output == "json") {
        print(operations::json_text(operations::history_json(entries)));
    } else if (entries.empty()) {
        print_error("no revision was tried on this host yet");
    } else {
        print(history_table(entries, session.out));
    }
    return Exit::Done;
}

}  // namespace

void add_history(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "history", "Shows the revisions that were tried, and their results",
                            "  l4d2ctl history\n  l4d2ctl history -o json",
                            [&session, options] { return history(session, *options); });
    verb.option("-n,--lines", options->lines, "At most the last N (default 20; 0: all)");
    verb.option("-o,--output", options->output, "table or json", {"table", "json"});
}

}  // namespace left4me::ctl
