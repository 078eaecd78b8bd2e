#include "adapters/events/who.hpp"

#include <systemd/sd-journal.h>

#include <algorithm>
#include <memory>

namespace left4me {

namespace {

struct Close {
    void operator()(sd_journal* journal) const { ::sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, Close>;

/// On a host where everything goes by sudo, the last few hundred lines must do.
constexpr int most_lines = 500;

std::string field(sd_journal* journal, const char* name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (::sd_journal_get_data(journal, name, &data, &size) < 0) return {};
    const std::string_view text(static_cast<const char*>(data), size);
    return std::string(text.substr(std::min(text.size(), text.find('=') + 1)));
}

Journal open_at_end() {
    sd_journal* journal = nullptr;
    // Users' journals too: what sudo logs goes to the one of who called it.
    if (::sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY) < 0) return nullptr;
    Journal owned(journal);
    // Fields with an underscore come from journald, not from whoever logs: `logger -t sudo` is not believed.
    if (::sd_journal_add_match(journal, "_COMM=sudo", 0) < 0) return nullptr;
    if (::sd_journal_seek_tail(journal) < 0) return nullptr;
    return owned;
}

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

/// `prefix` directly before the name, and no longer name there.
bool mentions(std::string_view text, std::string_view prefix, std::string_view name) {
    for (std::size_t at = text.find(prefix); at != std::string_view::npos; at = text.find(prefix, at + 1)) {
        const std::string_view rest = text.substr(at + prefix.size());
        if (rest.starts_with('*')) return true;
        if (rest.starts_with(name) && (rest.size() == name.size() || !is_name_character(rest[name.size()])))
            return true;
    }
    return false;
}

}  // namespace

std::optional<Culprit> parse_sudo(std::string_view message) {
    constexpr std::string_view command = " COMMAND=";
    const std::size_t colon = message.find(" : ");
    const std::size_t begin = message.find(command);
    if (colon == std::string_view::npos || begin == std::string_view::npos || begin < colon)
        return std::nullopt;
    std::string_view user = message.substr(0, colon);
    user.remove_prefix(std::min(user.size(), user.find_first_not_of(' ')));
    // A refusal stands between the colon and TTY=, and nothing was run.
    if (!message.substr(colon + 3).starts_with("TTY=") && !message.substr(colon + 3).starts_with("PWD="))
        return std::nullopt;
    return Culprit{std::string(user), std::string(message.substr(begin + command.size()))};
}

bool names_server(std::string_view command, std::string_view server) {
    return mentions(command, "left4me-server@", server) || mentions(command, "left4me/runtime/", server) ||
           mentions(command, "left4me/instances/", server);
}

std::optional<Culprit> who_touched(const std::string& server, TimePoint since) {
    const Journal journal = open_at_end();
    if (journal == nullptr) return std::nullopt;
    const auto earliest = static_cast<std::uint64_t>(since.time_since_epoch().count());
    for (int line = 0; line < most_lines && ::sd_journal_previous(journal.get()) > 0; ++line) {
        std::uint64_t at = 0;
        if (::sd_journal_get_realtime_usec(journal.get(), &at) < 0 || at < earliest) return std::nullopt;
        const std::string program = field(journal.get(), "_EXE");
        if (!program.empty() && !program.ends_with("/bin/sudo")) continue;
        auto culprit = parse_sudo(field(journal.get(), "MESSAGE"));
        if (culprit && names_server(culprit->command, server)) return culprit;
    }
    return std::nullopt;
}

}  // namespace left4me
