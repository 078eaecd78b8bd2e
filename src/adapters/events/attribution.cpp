#include "adapters/events/attribution.hpp"

#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <vector>

#include "adapters/events/system_journal.hpp"

namespace left4me {

namespace {

/// Searching the last few hundred lines must suffice on a host where everything uses sudo.
constexpr int max_lines = 500;

Journal open_at_end() {
    // Users' journals too: sudo logs to the journal of its caller.
    Journal journal = open_journal(SD_JOURNAL_LOCAL_ONLY);
    if (journal == nullptr) return nullptr;
    // Fields with an underscore are set by journald and the kernel, not by the author of the line: `logger -t
    // sudo` is not trusted.
    if (::sd_journal_add_match(journal.get(), "_COMM=sudo", 0) < 0) return nullptr;
    if (::sd_journal_seek_tail(journal.get()) < 0) return nullptr;
    return journal;
}

/// The path of the host's sudo with links resolved; "" if there is none that is setuid root.
std::string program_of_sudo() {
    std::error_code error;
    const std::string path = std::filesystem::canonical("/usr/bin/sudo", error).string();
    struct stat status{};
    const bool real = !error && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                      status.st_uid == 0 && (status.st_mode & S_ISUID) != 0 &&
                      (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    return real ? path : std::string();
}

/// Removes and returns the next word of a command line.
std::string_view take_word(std::string_view& command) {
    command.remove_prefix(std::min(command.find_first_not_of(' '), command.size()));
    const std::string_view word = command.substr(0, command.find(' '));
    command.remove_prefix(word.size());
    return word;
}

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

/// Whether `prefix` directly precedes the name, and no longer name follows.
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

std::optional<Attribution> parse_sudo(std::string_view message) {
    constexpr std::string_view command = " COMMAND=";
    const std::size_t colon = message.find(" : ");
    const std::size_t begin = message.find(command);
    if (colon == std::string_view::npos || begin == std::string_view::npos || begin < colon)
        return std::nullopt;
    std::string_view user = message.substr(0, colon);
    user.remove_prefix(std::min(user.size(), user.find_first_not_of(' ')));
    // For a refused command, the text between the colon and TTY= is a refusal, and nothing was run.
    if (!message.substr(colon + 3).starts_with("TTY=") && !message.substr(colon + 3).starts_with("PWD="))
        return std::nullopt;
    return Attribution{.user = std::string(user),
                       .command = std::string(message.substr(begin + command.size()))};
}

bool names_server(std::string_view command, std::string_view server) {
    return mentions(command, "left4me-server@", server) || mentions(command, "left4me/runtime/", server) ||
           mentions(command, "left4me/instances/", server);
}

bool is_user(const std::string& name, std::string_view uid) {
    uid_t proven = 0;
    const auto [end, error] = std::from_chars(uid.data(), uid.data() + uid.size(), proven);
    if (uid.empty() || error != std::errc() || end != uid.data() + uid.size()) return false;
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    return ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
           found != nullptr && found->pw_uid == proven;
}

bool only_reads(std::string_view command) {
    constexpr std::array<std::string_view, 11> readers{"cat",  "du", "findmnt", "grep", "head", "journalctl",
                                                       "less", "ls", "lsof",    "stat", "tail"};
    constexpr std::array<std::string_view, 8> reading_verbs{
        "cat", "is-active", "is-enabled", "is-failed", "list-dependencies", "list-units", "show", "status"};
    std::string_view program = take_word(command);
    program.remove_prefix(program.rfind('/') + 1);
    if (std::find(readers.begin(), readers.end(), program) != readers.end()) return true;
    if (program != "systemctl") return false;
    std::string_view verb = take_word(command);
    while (verb.starts_with('-')) verb = take_word(command);
    return std::find(reading_verbs.begin(), reading_verbs.end(), verb) != reading_verbs.end();
}

std::vector<Attribution> commands_by_hand(TimePoint since) {
    std::vector<Attribution> commands;
    const std::string sudo = program_of_sudo();
    const Journal journal = sudo.empty() ? nullptr : open_at_end();
    if (journal == nullptr) return commands;
    for (int line = 0; line < max_lines && ::sd_journal_previous(journal.get()) > 0; ++line) {
        const auto at = journal_time(journal.get());
        if (!at || *at < since) break;
        if (journal_field(journal.get(), "_EXE") != sudo) continue;
        auto attribution = parse_sudo(journal_field(journal.get(), "MESSAGE"));
        if (!attribution || !is_user(attribution->user, journal_field(journal.get(), "_UID")) ||
            only_reads(attribution->command))
            continue;
        attribution->at = *at;
        commands.push_back(*std::move(attribution));
    }
    return commands;
}

const Attribution* find_attribution(std::span<const Attribution> commands, std::string_view server,
                                    TimePoint since) {
    const auto found = std::find_if(commands.begin(), commands.end(), [&](const Attribution& one) {
        return one.at >= since && names_server(one.command, server);
    });
    return found == commands.end() ? nullptr : &*found;
}

}  // namespace left4me
