#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reconciler/time.hpp"

namespace left4me {

/// Who has changed something by hand, as far as the host tells.
struct Culprit {
    std::string user;
    std::string command;
};

/// Takes a line apart as sudo logs it: `alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/kill 1`.
std::optional<Culprit> parse_sudo(std::string_view message);
/// Whether a command line is about the server: it names its unit, all servers' units, or a path of its.
bool names_server(std::string_view command, std::string_view server);

/// Whether the user of this name has this uid. sudo logs with the real uid of whoever called it, which the
/// kernel proves to journald: a forged line, even from a program that is /usr/bin/sudo in a mount namespace
/// of its own, can only accuse whoever forged it.
bool is_user(const std::string& name, std::string_view uid);
/// Whether a command line only looks: `systemctl status`, journalctl and the like.
bool only_reads(std::string_view command);

/// The last one who ran something by sudo that names the server, since `since`. systemd itself does not say
/// on whose behalf it stops, disables or masks a unit, so what somebody did as root without sudo is nobody's.
/// Needs to be allowed to read the system's journal.
std::optional<Culprit> who_touched(const std::string& server, TimePoint since);

}  // namespace left4me
