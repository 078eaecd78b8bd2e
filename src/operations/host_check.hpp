#pragma once

#include <string>
#include <vector>

#include "operations/host_facts.hpp"
#include "operations/json.hpp"

namespace left4me::operations {

/// What must be true of a host.
enum class HostCheck {
    Kernel,
    Systemd,
    Cgroups,
    Overlayfs,
    Memory,
    FileSystem,
    DiskSpace,
    Inodes,
    Users,
    Directories,
    Secrets,
    Units,
    BusPolicy,
    FastOpen,
    AddressFilter,
    Enablement,
    Daemon,
    Game,
    Libraries,
    Certificates,
    NameServers,
    Git,
    Clock,
    Ports,
    Firewall,
};

/// Its name in JSON: "DiskSpace".
const char* to_string(HostCheck check);

/// One that is not true.
struct Finding {
    HostCheck check{};
    std::string problem;
    std::string remedy;  ///< commands or a sentence
    /// The same commands, each a program with its arguments, which root may run; none: a person must mend it.
    std::vector<std::vector<std::string>> commands = {};
    bool is_outside = false;  ///< they change what does not belong to left4me
    bool is_note = false;     ///< nothing is lost, and nothing must be done
};

/// Everything that is wrong, in the order of HostCheck. Changes nothing.
std::vector<Finding> check_host(const HostFacts& facts);

/// The output of `host check -o json`: `findings` and `notes`, each with `check`, `problem` and `remedy`.
Json findings_json(const std::vector<Finding>& findings);

}  // namespace left4me::operations
