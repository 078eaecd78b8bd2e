#include "operations/host_facts.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <vector>

#include "adapters/child.hpp"
#include "adapters/fd.hpp"
#include "adapters/overlayfs/mounts.hpp"
#include "adapters/store/rollbacks.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/artifact_in_use.hpp"
#include "operations/firewall.hpp"
#include "operations/objects.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

namespace {

void read_kernel(HostFacts& facts) {
    utsname names{};
    if (::uname(&names) == 0) facts.kernel = names.release;
    struct sysinfo totals{};
    if (::sysinfo(&totals) == 0) facts.memory = std::uint64_t{totals.totalram} * totals.mem_unit;
    timex clock{};
    facts.clock_is_synchronized = ::adjtimex(&clock) != TIME_ERROR;
}

void read_file_system(HostFacts& facts) {
    struct statfs kind{};
    if (::statfs(facts.paths.state.c_str(), &kind) == 0) facts.file_system = kind.f_type;
    struct statvfs space{};
    if (::statvfs(facts.paths.state.c_str(), &space) != 0) return;
    facts.may_execute = (space.f_flag & ST_NOEXEC) == 0;
    facts.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    facts.inodes = space.f_files;
    facts.free_inodes = space.f_favail;
}

/// elf(5): EI_CLASS is ELFCLASS32.
bool is_32_bit_game(const Fd& directory) {
    std::array<char, EI_CLASS + 1> head{};
    const Fd program(directory ? ::openat(directory.get(), "srcds_linux", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
                               : -1);
    return program && ::read(program.get(), head.data(), head.size()) == ssize_t{head.size()} &&
           std::string_view(head.data(), SELFMAG) == ELFMAG && head[EI_CLASS] == ELFCLASS32;
}

void read_servers(HostFacts& facts, Context& context) {
    const auto in_force = read_source(context);
    if (!in_force) return;
    const auto mounted = read_mounts(context.paths);
    const ManifestSet& set = in_force->set;
    const std::vector<std::string> installations = manifest_names(set, Kind::Installation);
    const Rollbacks rollbacks = load_rollbacks(context.paths).value_or(Rollbacks());
    for (const std::string& name : installations) {
        if (is_32_bit_game(open_artifact_in_use(context.paths, rollbacks, name)))
            facts.has_32_bit_game = true;
    }
    if (!installations.empty()) {
        facts.steamcmd = context.config.limits.steamcmd;
        facts.uses_installation =
            std::any_of(set.blueprints.begin(), set.blueprints.end(),
                        [&set](const auto& one) { return installation_of(set, one.second).empty(); });
    }
    for (const auto& [name, server] : set.servers) {
        if (server.state == RunState::Running) ++facts.servers;
        facts.game_ports.insert(server.port);
        // A server that runs has its port.
        if (!mounted || !mounted->contains(name)) facts.ports.emplace(name, server.port);
    }
}

}  // namespace

HostFacts facts_for_root(const Context& context) {
    HostFacts facts;
    facts.paths = context.paths;
    facts.has_git_source = context.config.git.has_value();
    facts.daemon_listens = daemon_listens(context.paths);
    const std::string installation = facts.paths.installation().string();
    facts.has_32_bit_game =
        is_32_bit_game(Fd(::open(installation.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)));
    // Only manifests tell.
    facts.uses_installation = false;
    read_kernel(facts);
    read_file_system(facts);
    return facts;
}

std::string read_ruleset() {
    constexpr std::chrono::seconds patience(5);
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return {};
    const auto ended = run_child({"/usr/sbin/nft", "-j", "list", "ruleset"}, null, Fd(), patience,
                                 {.most = max_ruleset + 1, .with_errors = false});
    return ended && ended->code == 0 ? ended->output : std::string();
}

HostFacts host_facts(Context& context) {
    HostFacts facts = facts_for_root(context);
    facts.uses_installation = true;
    read_servers(facts, context);
    return facts;
}

}  // namespace left4me::operations
