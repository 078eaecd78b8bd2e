#include "operations/host_facts.hpp"

#include <elf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <variant>
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
#include "specs/remote_url.hpp"

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

struct HostsOf {
    std::vector<std::string> operator()(const ArchiveSource& source) const {
        std::vector<std::string> urls;
        for (const ArchiveLocation& one : source.locations) urls.push_back(one.url);
        return urls;
    }
    std::vector<std::string> operator()(const GitSource& source) const { return {source.url}; }
    std::vector<std::string> operator()(const MapIndexSource& source) const { return {source.url}; }
    std::vector<std::string> operator()(const WorkshopSource& /*source*/) const { return {steam}; }
    std::vector<std::string> operator()(const SteamSource& /*source*/) const { return {steam}; }
    std::vector<std::string> operator()(const DirectorySource& /*source*/) const { return {}; }
    std::vector<std::string> operator()(const InlineSource& /*source*/) const { return {}; }
    std::vector<std::string> operator()(const ScriptSource& /*source*/) const { return {}; }

    static constexpr const char* steam = "https://api.steampowered.com/any";
};

void add_host(std::set<std::string>& names, const std::string& url) {
    const auto remote = parse_remote_url(url);
    // An address needs no DNS.
    if (remote && remote->host.find_first_not_of("0123456789.") != std::string::npos)
        names.insert(remote->host);
}

/// getaddrinfo(3) may take half a minute, and cannot be told how long it may take.
void ask_dns(HostFacts& facts, const std::set<std::string>& names) {
    constexpr std::size_t enough = 3;
    constexpr std::chrono::seconds patience(5);
    const auto end = std::chrono::steady_clock::now() + patience;
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    std::size_t asked = 0;
    for (const std::string& name : names) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (!null || asked++ == enough || left <= std::chrono::milliseconds::zero()) break;
        const auto ended =
            run_child({"/usr/bin/getent", "ahosts", name}, null, Fd(), left, {.with_errors = false});
        // One that is known is enough: what is wrong with another is told by its build.
        if (ended && ended->code == 0) {
            facts.unresolved.clear();
            return;
        }
        if (facts.unresolved.empty()) facts.unresolved = name;
    }
}

void read_servers(HostFacts& facts, Context& context) {
    std::set<std::string> names;
    if (context.config.git) add_host(names, context.config.git->remote);
    const auto in_force = read_source(context);
    if (in_force) {
        for (const auto& [name, overlay] : in_force->set.overlays) {
            for (const std::string& url : std::visit(HostsOf(), overlay.source)) add_host(names, url);
        }
    }
    ask_dns(facts, names);
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

AddressFilter read_address_filter(const Paths& paths) {
    if (::geteuid() != 0) return AddressFilter::Unknown;
    const auto unit = paths.cgroups / "system.slice/left4me-probe.service";
    const Fd group(::open(unit.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!group) return AddressFilter::Unknown;  // it does not run
    bpf_attr query{};
    query.query.target_fd = static_cast<std::uint32_t>(group.get());
    query.query.attach_type = BPF_CGROUP_INET_EGRESS;
    if (::syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof query) != 0) {
        const bool refused = errno == EPERM || errno == ENOSYS || errno == EINVAL;
        return refused ? AddressFilter::Missing : AddressFilter::Unknown;
    }
    return query.query.prog_cnt > 0 ? AddressFilter::InForce : AddressFilter::Missing;
}

HostFacts host_facts(Context& context) {
    HostFacts facts = facts_for_root(context);
    facts.uses_installation = true;
    read_servers(facts, context);
    return facts;
}

}  // namespace left4me::operations
