#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "operations/context.hpp"

namespace left4me::operations {

/// Whether the kernel filters what left4me-probe sends by its address, as its unit says.
enum class AddressFilter { Unknown, InForce, Missing };

/// What check_host() looks at. Tests set it: a host can be broken in more ways than a test host.
struct HostFacts {
    std::filesystem::path root = "/";  ///< of the files that do not belong to left4me
    Paths paths;
    bool has_git_source = false;
    bool daemon_listens = false;
    std::string kernel;        ///< uname -r
    std::uint64_t memory = 0;  ///< bytes
    bool clock_is_synchronized = false;

    /// The file system of /var/lib/left4me.
    std::int64_t file_system = 0;  ///< its magic number, statfs(2)
    bool may_execute = true;
    std::uint64_t free_bytes = 0;  ///< for users other than root
    std::uint64_t inodes = 0;      ///< 0: it does not count them
    std::uint64_t free_inodes = 0;

    std::map<std::string, std::uint16_t> ports;  ///< of the servers that do not run, by name
    std::size_t servers = 0;                     ///< all that should run
    std::set<std::uint16_t> game_ports;          ///< of all servers
    std::string ruleset;  ///< of the host's firewall, as `nft -j list ruleset` prints it; "": it is not known
    bool uses_installation = true;  ///< some server has what is in `installation`, or will: there is none yet
    std::string steamcmd;           ///< its path, if some manifest is an Installation
    std::string unresolved;         ///< a host that the source or downloads need, of which DNS knows none
    AddressFilter address_filter = AddressFilter::Unknown;
    bool has_32_bit_game = false;  ///< on this host
};

/// Reads the host, without its manifests if they cannot be read.
HostFacts host_facts(Context& context);
/// The same without manifests: for root, who does not parse them.
HostFacts facts_for_root(const Context& context);
/// `HostFacts::ruleset`, which the kernel shows only to root. Nothing of it is parsed. "": there is no nft,
/// it may not read the ruleset, or takes longer than 5 s.
std::string read_ruleset();
/// Only root is told.
AddressFilter read_address_filter(const Paths& paths);

}  // namespace left4me::operations
