#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/time.hpp"

namespace left4me {

/// Who changed something by hand, as far as the host knows.
struct Attribution {
    std::string user;
    std::string command;
    TimePoint at{};
};

/// Parses a line of sudo: `alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/kill 1`.
std::optional<Attribution> parse_sudo(std::string_view message);
/// Whether a command line is about the server: it names its unit, all servers' units, or one of its paths.
bool names_server(std::string_view command, std::string_view server);

/// Whether the user of this name has this uid. sudo logs with its caller's real uid, which the kernel
/// guarantees to journald. A forged line, even from a program that is /usr/bin/sudo in its own mount
/// namespace, can therefore only blame its author.
bool is_user(const std::string& name, std::string_view uid);
/// Whether a command line only reads: `systemctl status`, journalctl and the like.
bool only_reads(std::string_view command);

/// The commands that people have run with sudo since then, newest first, except those that only read. systemd
/// does not log who asked it to stop, disable or mask a unit, so changes made as root without sudo are not
/// among them. Needs permission to read the system journal.
std::vector<Attribution> commands_by_hand(TimePoint since);
/// The first of them that is about the server and not older than `since`; null if there is none.
const Attribution* find_attribution(std::span<const Attribution> commands, std::string_view server,
                                    TimePoint since);

}  // namespace left4me
