#pragma once

#include <filesystem>

namespace left4me {

/// The paths of left4me on a host. Adapters take them as an argument so that tests can use their own
/// directory; the root programs use only the defaults.
struct Paths {
    std::filesystem::path state = "/var/lib/left4me";
    std::filesystem::path run = "/run/left4me";
    std::filesystem::path config = "/etc/left4me";
    std::filesystem::path systemd_etc = "/etc/systemd/system";
    std::filesystem::path systemd_run = "/run/systemd/system";
    /// The mount table of the host, whatever mount namespace this process is in.
    std::filesystem::path mountinfo = "/proc/1/mountinfo";
    std::filesystem::path cgroups = "/sys/fs/cgroup";
    std::filesystem::path cpus = "/sys/devices/system/cpu";

    std::filesystem::path installation() const { return state / "installation"; }
    std::filesystem::path overlays() const { return state / "overlays"; }
    std::filesystem::path instances() const { return state / "instances"; }
    std::filesystem::path runtime() const { return state / "runtime"; }
    std::filesystem::path status() const { return state / "state"; }
    std::filesystem::path secrets() const { return config / "secrets"; }
    /// Keys and tokens of a git remote: no manifest can name them.
    std::filesystem::path git_keys() const { return config / "git"; }
    std::filesystem::path manifests() const { return config / "manifests"; }
    std::filesystem::path lock() const { return run / "lock"; }
    std::filesystem::path source_lock() const { return run / "source.lock"; }
    /// Locks of single overlays and instances, in a directory that only left4me may enter.
    std::filesystem::path locks() const { return run / "daemon/locks"; }
    /// Where left4me-read.socket listens for operators.
    std::filesystem::path read_socket() const { return run / "read"; }
    /// What left4me-probe last heard from the games: rewritten with every answer.
    std::filesystem::path probe_answers() const { return run / "probe/answers/servers.json"; }
    /// Written to when one of them has become empty, so that whoever waits for that need not watch the
    /// answers.
    std::filesystem::path probe_emptied() const { return run / "probe/emptied"; }
    /// What consoles of games said when they were last asked who is on the server.
    std::filesystem::path consoles() const { return run / "daemon/consoles"; }
    /// What they said about cvars.
    std::filesystem::path console_cvars() const { return run / "daemon/cvars"; }
    /// Where l4d2d listens for triggers.
    std::filesystem::path trigger() const { return run / "daemon/trigger"; }
};

}  // namespace left4me
