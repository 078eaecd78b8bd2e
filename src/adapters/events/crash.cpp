#include "adapters/events/crash.hpp"

#include <fmt/format.h>

#include "adapters/events/system_journal.hpp"

namespace left4me {

namespace {

/// SD_MESSAGE_UNIT_PROCESS_EXIT of sd-messages.h, which systemd 252 does not have yet.
constexpr const char* process_exit = "MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15";

std::string duration_text(std::chrono::microseconds time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time).count();
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
    if (seconds < 2 * 86'400) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} d", seconds / 86'400);
}

/// To read the ends of this server's game, backwards from the latest. False: it cannot be read.
bool seek_latest_end(sd_journal* journal, const std::string& server) {
    ::sd_journal_flush_matches(journal);
    // What PID 1 says is true; of the unit's processes, that of ExecStart= is the game.
    const std::string unit = "UNIT=left4me-server@" + server + ".service";
    for (const char* match : {"_PID=1", process_exit, "COMMAND=ExecStart", unit.c_str()}) {
        if (::sd_journal_add_match(journal, match, 0) < 0) return false;
    }
    return ::sd_journal_seek_tail(journal) >= 0;
}

}  // namespace

std::string end_text(std::string_view exit_code, std::string_view exit_status) {
    return fmt::format("{} {}", exit_code == "exited" ? "exit status" : "signal", exit_status);
}

std::string crash_text(const ProcessEnd& end, const std::optional<TimePoint>& up_since) {
    if (!up_since || *up_since > end.at) return end.how;
    return fmt::format("{} after {}", end.how, duration_text(end.at - *up_since));
}

GameEnds::GameEnds() : journal_(open_journal(SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)) {}

std::optional<ProcessEnd> GameEnds::last(const std::string& server, TimePoint since) const {
    sd_journal* const journal = journal_.get();
    if (journal == nullptr || !seek_latest_end(journal, server) || ::sd_journal_previous(journal) <= 0)
        return std::nullopt;
    const auto at = journal_time(journal);
    if (!at || *at < since) return std::nullopt;
    return ProcessEnd{*at,
                      end_text(journal_field(journal, "EXIT_CODE"), journal_field(journal, "EXIT_STATUS"))};
}

}  // namespace left4me
