#include "operations/host_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include "adapters/files.hpp"
#include "operations/firewall.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::size_t max_text = std::size_t{4} << 20U;
/// A server with its map; one with plugins takes up to twice this.
constexpr std::uint64_t memory_of_a_server = 400 * mib;
/// An update of the game, or an overlay with maps.
constexpr std::uint64_t space_to_work = 5 * 1024 * mib;
constexpr std::uint64_t inodes_to_work = 100'000;

/// An account of etc/passwd, or a group of etc/group.
struct Entry {
    unsigned id = 0;
    std::set<std::string, std::less<>> members;
};

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(at), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

class Inspection {
  public:
    explicit Inspection(const HostFacts& facts) : facts_(facts) {}

    std::vector<Finding> all() {
        kernel();
        systemd();
        cgroups();
        overlayfs();
        memory();
        file_system();
        space();
        users();
        directories();
        secrets();
        units();
        bus_policy();
        fast_open();
        address_filter();
        enablement();
        game();
        libraries();
        downloads();
        git();
        clock();
        ports();
        firewall();
        return std::move(findings_);
    }

  private:
    using Commands = std::vector<std::vector<std::string>>;
    enum class Changes { Left4me, TheHost };

    void find(HostCheck check, std::string problem, std::string remedy) {
        findings_.push_back({check, std::move(problem), std::move(remedy)});
    }

    /// No word of them may come from a file that others can write: root runs them.
    void find(HostCheck check, std::string problem, Changes what, Commands commands) {
        std::string remedy;
        for (const auto& words : commands)
            remedy += fmt::format("{}{}", remedy.empty() ? "" : " && ", fmt::join(words, " "));
        findings_.push_back(
            {check, std::move(problem), std::move(remedy), std::move(commands), what == Changes::TheHost});
    }

    fs::path at(const std::string& path) const { return facts_.root / path; }

    bool is_there(const std::string& path) const {
        std::error_code ignored;
        return fs::exists(at(path), ignored);
    }

    std::string text_of(const fs::path& path) const {
        return read_file(path, max_text, FileKind::Any).value_or(std::string());
    }

    /// Whether one of the directories has it. A link to /dev/null is a mask, and counts.
    bool is_in(std::initializer_list<const char*> directories, std::string_view name) const {
        return std::any_of(directories.begin(), directories.end(), [&](const char* directory) {
            return fs::is_symlink(at(directory) / name) || fs::is_regular_file(at(directory) / name);
        });
    }

    // Debian 12 has 6.1. openat2(2), pidfds and Landlock, which left4me uses, are older.
    void kernel() {
        unsigned major = 0;
        unsigned minor = 0;
        const char* const end = facts_.kernel.data() + facts_.kernel.size();
        const auto first = std::from_chars(facts_.kernel.data(), end, major);
        if (first.ptr != end) std::from_chars(first.ptr + 1, end, minor);
        if (std::pair(major, minor) >= std::pair(6U, 1U)) return;
        find(HostCheck::Kernel, fmt::format("the kernel is {}; left4me needs 6.1 or newer", facts_.kernel),
             "boot the kernel of Debian 12 or newer");
    }

    void systemd() {
        if (is_there("run/systemd/system")) return;
        find(HostCheck::Systemd, "systemd is not PID 1",
             "boot the host with systemd: apt-get install systemd-sysv");
    }

    void cgroups() {
        const std::string controllers = text_of(at("sys/fs/cgroup/cgroup.controllers"));
        if (!is_there("sys/fs/cgroup/cgroup.controllers")) {
            find(HostCheck::Cgroups, "/sys/fs/cgroup is not cgroup v2, so servers have no limits",
                 "remove systemd.unified_cgroup_hierarchy=0 from the kernel's command line and reboot");
            return;
        }
        const auto words = split(std::string_view(controllers).substr(0, controllers.find('\n')), ' ');
        for (const char* wanted : {"cpu", "memory", "pids"}) {
            if (std::find(words.begin(), words.end(), wanted) == words.end())
                find(HostCheck::Cgroups, fmt::format("cgroups have no controller {}", wanted),
                     fmt::format("remove cgroup_disable={} from the kernel's command line and reboot",
                                 wanted));
        }
    }

    void overlayfs() {
        if (text_of(at("proc/filesystems")).find("\toverlay\n") != std::string::npos) return;
        // The first mount loads it.
        std::error_code ignored;
        if (fs::exists(at("lib/modules") / facts_.kernel / "kernel/fs/overlayfs", ignored)) return;
        find(HostCheck::Overlayfs, "the kernel has no overlayfs", Changes::TheHost,
             {{"modprobe", "overlay"}});
    }

    void memory() {
        if (facts_.memory >= facts_.servers * memory_of_a_server) return;
        find(HostCheck::Memory,
             fmt::format("{} MiB of memory are too little for {} servers, which take {} MiB each",
                         facts_.memory / mib, facts_.servers, memory_of_a_server / mib),
             "give some of the servers state: Stopped, or the host more memory");
    }

    void file_system() {
        struct Unfit {
            std::int64_t magic;
            const char* name;
        };
        // What overlayfs refuses as its upper directory.
        constexpr std::array unfit{Unfit{OVERLAYFS_SUPER_MAGIC, "an overlay"}, Unfit{NFS_SUPER_MAGIC, "NFS"},
                                   Unfit{MSDOS_SUPER_MAGIC, "FAT"}, Unfit{SMB_SUPER_MAGIC, "SMB"},
                                   Unfit{FUSE_SUPER_MAGIC, "FUSE"}};
        const std::string state = facts_.paths.state.string();
        for (const Unfit& one : unfit) {
            if (facts_.file_system == one.magic)
                find(HostCheck::FileSystem,
                     fmt::format("{} is on {}, which cannot be written through overlayfs", state, one.name),
                     fmt::format("mount ext4, xfs or btrfs at {}", state));
        }
        if (!facts_.may_execute)
            find(HostCheck::FileSystem, fmt::format("{} is mounted noexec: no game can run there", state),
                 fmt::format("mount -o remount,exec {}, and remove noexec from /etc/fstab", state));
    }

    void space() {
        const std::string state = facts_.paths.state.string();
        if (facts_.free_bytes < space_to_work)
            find(HostCheck::DiskSpace,
                 fmt::format("{} has {} MiB left; builds and updates need {}", state, facts_.free_bytes / mib,
                             space_to_work / mib),
                 "l4d2ctl gc --dry-run shows what left4me could remove; otherwise free disk space");
        if (facts_.inodes != 0 && facts_.free_inodes < inodes_to_work)
            find(HostCheck::Inodes,
                 fmt::format("{} can hold {} more files; overlays need {}", state, facts_.free_inodes,
                             inodes_to_work),
                 "l4d2ctl gc --dry-run shows what left4me could remove; otherwise remove files");
    }

    // -- what the installation made -----------------------------------------------------------------------

    std::map<std::string, Entry, std::less<>> entries(const char* file) const {
        std::map<std::string, Entry, std::less<>> found;
        const std::string text = text_of(at(file));
        for (const std::string_view line : split(text, '\n')) {
            const auto fields = split(line, ':');
            if (fields.size() < 3) continue;
            Entry entry;
            std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), entry.id);
            if (fields.size() > 3) {
                for (const std::string_view member : split(fields[3], ',')) entry.members.emplace(member);
            }
            found.emplace(fields[0], std::move(entry));
        }
        return found;
    }

    void users() {
        const auto accounts = entries("etc/passwd");
        const auto groups = entries("etc/group");
        const Commands make_users{{"systemd-sysusers", "left4me.conf"}};
        for (const char* user : {"left4me", "left4me-server", "left4me-probe"}) {
            if (!accounts.contains(user))
                find(HostCheck::Users, fmt::format("there is no user {}", user), Changes::Left4me,
                     make_users);
        }
        for (const char* group : {"left4me-server", "systemd-journal", "left4me-operators"}) {
            const auto found = groups.find(group);
            if (found == groups.end())
                find(HostCheck::Users, fmt::format("there is no group {}", group), Changes::Left4me,
                     make_users);
            else if (accounts.contains("left4me") && !found->second.members.contains("left4me"))
                find(HostCheck::Users, fmt::format("user left4me is not in group {}", group),
                     Changes::Left4me,
                     {{"adduser", "left4me", group}, {"systemctl", "try-restart", "left4me.service"}});
        }
    }

    void directories() {
        struct Wanted {
            fs::path path;
            const char* owner;
            unsigned mode;
        };
        const Paths& paths = facts_.paths;
        const std::array wanted{Wanted{paths.state, "root", 0755},
                                Wanted{paths.installation(), "left4me", 02755},
                                Wanted{paths.overlays(), "left4me", 02750},
                                Wanted{paths.instances(), "left4me", 02750},
                                Wanted{paths.runtime(), "root", 0755},
                                Wanted{paths.status(), "left4me", 0755},
                                Wanted{paths.run, "root", 0755},
                                Wanted{paths.run / "daemon", "left4me", 02755},
                                Wanted{paths.run / "turns", "left4me-server", 0700}};
        const auto accounts = entries("etc/passwd");
        for (const Wanted& one : wanted) {
            struct stat found{};
            const auto owner = accounts.find(one.owner);
            std::string problem;
            if (::stat(one.path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
                problem = fmt::format("{} is not there", one.path.string());
            } else if (owner != accounts.end() && found.st_uid != owner->second.id) {
                problem = fmt::format("{} does not belong to {}", one.path.string(), one.owner);
            } else if ((found.st_mode & 07777U) != one.mode) {
                problem = fmt::format("{} has mode {:04o} instead of {:04o}", one.path.string(),
                                      found.st_mode & 07777U, one.mode);
            }
            if (!problem.empty())
                find(HostCheck::Directories, problem, Changes::Left4me,
                     {{"systemd-tmpfiles", "--create", "left4me.conf"}});
        }
    }

    void secrets() {
        std::error_code error;
        for (const auto& file : fs::directory_iterator(facts_.paths.secrets(), error)) {
            struct stat found{};
            if (::stat(file.path().c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
            const std::string name = printable_line(file.path().string());
            if ((found.st_mode & 077U) != 0)
                find(HostCheck::Secrets, fmt::format("{} can be read by others", name),
                     fmt::format("chmod 0400 {}", name));
        }
    }

    void units() {
        constexpr std::array names{
            "left4me.service",          "left4me-helper.service",    "left4me-probe.service",
            "left4me-server@.service",  "left4me-build@.service",    "left4me-script@.service",
            "left4me-umount@.service",  "left4me-attach@.service",   "left4me-read.socket",
            "left4me-read@.service",    "left4me-reconcile.service", "left4me-reconcile.timer",
            "left4me-refresh@.service", "left4me-proxy@.socket",     "left4me-proxy@.service",
            "left4me-install@.service"};
        for (const char* name : names) {
            std::error_code error;
            if (fs::read_symlink(at("etc/systemd/system") / name, error) == "/dev/null")
                find(HostCheck::Units, fmt::format("{} is masked", name), Changes::Left4me,
                     {{"systemctl", "unmask", name}});
            if (fs::read_symlink(at("run/systemd/system") / name, error) == "/dev/null")
                find(HostCheck::Units, fmt::format("{} is masked until the next boot", name),
                     Changes::Left4me, {{"systemctl", "unmask", "--runtime", name}});
            if (!is_in({"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system",
                        "lib/systemd/system"},
                       name))
                find(HostCheck::Units, fmt::format("the unit {} is not installed", name),
                     "install left4me again");
            for (const char* directory : {"etc/systemd/system", "run/systemd/system"})
                sandbox(name, at(directory) / fmt::format("{}.d", name));
        }
    }

    /// Settings of resources are an operator's business; those of the sandbox are what docs/security.md
    /// counts on.
    void sandbox(const char* unit, const fs::path& drop_ins) {
        std::error_code error;
        for (const auto& file : fs::directory_iterator(drop_ins, error)) {
            if (file.path().extension() != ".conf") continue;
            const std::string text = text_of(file.path());
            for (const std::string_view line : split(text, '\n')) {
                const std::string_view setting = setting_of(line);
                if (!is_of_a_sandbox(setting)) continue;
                const std::string path = printable_line(file.path().string());
                find(HostCheck::Units,
                     fmt::format("{} changes the sandbox of {}: {}=", path, unit, printable_line(setting)),
                     fmt::format("rm {} && systemctl daemon-reload, and restart what runs with it", path));
                break;
            }
        }
    }

    static std::string_view setting_of(std::string_view line) {
        constexpr const char* blanks = " \t";
        line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
        line = line.substr(0, line.find('='));
        return line.substr(0, line.find_last_not_of(blanks) + 1);
    }

    /// systemd.exec(5), systemd.service(5), systemd.resource-control(5)
    static bool is_of_a_sandbox(std::string_view setting) {
        constexpr std::array beginnings{"AmbientCapabilities",
                                        "Bind",
                                        "CapabilityBoundingSet",
                                        "DynamicUser",
                                        "Exec",
                                        "Group",
                                        "IPAddress",
                                        "InaccessiblePaths",
                                        "LockPersonality",
                                        "MemoryDenyWrite",
                                        "MountFlags",
                                        "NoExecPaths",
                                        "NoNewPrivileges",
                                        "PermissionsStartOnly",
                                        "Private",
                                        "Protect",
                                        "ReadOnlyPaths",
                                        "ReadWritePaths",
                                        "Restrict",
                                        "Root",
                                        "SupplementaryGroups",
                                        "SystemCall",
                                        "TemporaryFileSystem",
                                        "UMask",
                                        "User"};
        return std::any_of(beginnings.begin(), beginnings.end(),
                           [setting](const char* one) { return setting.starts_with(one); });
    }

    void bus_policy() {
        if (!is_in({"etc/dbus-1/system.d", "usr/share/dbus-1/system.d"}, "org.left4me.Helper1.conf"))
            find(HostCheck::BusPolicy, "the bus has no policy for left4me-helper, so nobody can ask it",
                 "install left4me again");
        if (!is_in({"usr/local/share/dbus-1/system-services", "usr/share/dbus-1/system-services"},
                   "org.left4me.Helper1.service"))
            find(HostCheck::BusPolicy, "the bus cannot start left4me-helper", "install left4me again");
        if (!is_there("run/dbus/system_bus_socket"))
            find(HostCheck::BusPolicy, "there is no system bus", Changes::TheHost,
                 {{"apt-get", "install", "--yes", "dbus"}, {"systemctl", "start", "dbus.socket"}});
    }

    void fast_open() {
        const std::string value = text_of(at("proc/sys/net/ipv4/tcp_fastopen"));
        if (value.empty() || value == "0\n") return;
        find(HostCheck::FastOpen,
             "net.ipv4.tcp_fastopen is not 0: games could connect past their sandbox's list of ports",
             Changes::TheHost, {{"systemctl", "restart", "systemd-sysctl.service"}});
    }

    void address_filter() {
        if (facts_.address_filter != AddressFilter::Missing) return;
        find(HostCheck::AddressFilter,
             "IPAddressDeny= of left4me-probe.service is not in force: the kernel, or the container, permits "
             "no BPF",
             "nothing need be done: the probe's socket is bound to 127.0.0.1, and it can make no other");
        findings_.back().is_note = true;
    }

    void enablement() {
        const bool daemon = is_in({"etc/systemd/system/multi-user.target.wants"}, "left4me.service");
        const bool timer = is_in({"etc/systemd/system/timers.target.wants"}, "left4me-reconcile.timer");
        if (!daemon && !timer)
            find(HostCheck::Enablement,
                 "neither left4me.service nor left4me-reconcile.timer is enabled: nothing looks after the "
                 "servers",
                 Changes::Left4me, {{"systemctl", "enable", "--now", "left4me.service"}});
        if (daemon && !facts_.daemon_listens)
            find(HostCheck::Daemon, "left4me.service is enabled, but l4d2d does not run",
                 "systemctl start left4me, and journalctl -u left4me says why it ended");
    }

    // -- what others make ---------------------------------------------------------------------------------

    void game() {
        if (!facts_.steamcmd.empty()) steamcmd(facts_.steamcmd);
        if (facts_.uses_installation) game_in_place();
    }

    /// It is not run for this: it would replace itself, and ask Steam.
    void steamcmd(const fs::path& program) {
        const std::string name = program.string();
        const std::string another =
            "install Debian's package steamcmd (of the section non-free), or name another one with "
            "`steamcmd:` in /etc/left4me/config.yaml";
        struct stat found{};
        if (::stat(program.c_str(), &found) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
            find(HostCheck::Game, "there is no steamcmd at " + name, another);
            return;
        }
        if (::access(program.c_str(), R_OK | X_OK) != 0 || !S_ISREG(found.st_mode)) {
            find(HostCheck::Game, fmt::format("{} is not a program that user left4me may run", name),
                 fmt::format("chmod a+rx {} and the directories above it; otherwise {}", name, another));
            return;
        }
        constexpr std::size_t longest_line = 256;
        const std::string head = text_of(program).substr(0, longest_line);
        const std::string line = head.substr(0, head.find('\n'));
        if (line.starts_with("#!")) {
            const std::size_t begin = std::min(line.find_first_not_of(" \t", 2), line.size());
            const std::string shell = line.substr(begin, line.find_first_of(" \t\r", begin) - begin);
            if (::access(shell.c_str(), X_OK) != 0) {
                find(HostCheck::Game,
                     fmt::format("{} is run by {}, which is not there", name, printable_line(shell)),
                     another);
                return;
            }
        } else if (!line.starts_with("\x7f"
                                     "ELF")) {
            find(HostCheck::Game, fmt::format("{} is neither a program nor a script", name), another);
            return;
        }
        // Valve's own, beside which is what it starts.
        const fs::path started = program.parent_path() / "linux32/steamcmd";
        if (program.extension() == ".sh" && ::access(started.c_str(), X_OK) != 0)
            find(HostCheck::Game, fmt::format("{} starts {}, which is not there", name, started.string()),
                 fmt::format("unpack steamcmd_linux.tar.gz of Valve's into {} again",
                             program.parent_path().string()));
    }

    /// As version 0.1 had it.
    void game_in_place() {
        const fs::path program = facts_.paths.installation() / "srcds_run";
        if (::access(program.c_str(), F_OK) != 0) {
            find(HostCheck::Game, fmt::format("the game is not installed: {} is not there", program.string()),
                 "apply an Installation: l4d2ctl explain installation");
            return;
        }
        struct stat found{};
        if (::stat(program.c_str(), &found) == 0 && (found.st_mode & 0111U) != 0111U)
            find(HostCheck::Game, fmt::format("{} is not executable for everybody", program.string()),
                 fmt::format("chmod +x {}", program.string()));
    }

    /// Only if the game is what needs them.
    void libraries() {
        if (!facts_.has_32_bit_game) return;
        const Commands remedy{{"apt-get", "install", "--yes", "lib32gcc-s1", "lib32stdc++6", "lib32z1"}};
        if (!is_in({"lib", "usr/lib"}, "ld-linux.so.2"))
            find(HostCheck::Libraries, "the game is a 32-bit program, and there is no 32-bit C library",
                 Changes::TheHost, remedy);
        for (const char* name : {"libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"}) {
            if (!is_in({"lib32", "usr/lib32", "lib/i386-linux-gnu", "usr/lib/i386-linux-gnu"}, name))
                find(HostCheck::Libraries, fmt::format("there is no 32-bit {}, which the game needs", name),
                     Changes::TheHost, remedy);
        }
    }

    void downloads() {
        std::error_code ignored;
        const auto bundle = fs::file_size(at("etc/ssl/certs/ca-certificates.crt"), ignored);
        if (ignored || bundle == 0)
            find(HostCheck::Certificates,
                 "there are no certificates, so nothing can be downloaded over https", Changes::TheHost,
                 {{"apt-get", "install", "--yes", "ca-certificates"}, {"update-ca-certificates"}});
        if (("\n" + text_of(at("etc/resolv.conf"))).find("\nnameserver ") == std::string::npos)
            find(HostCheck::NameServers, "/etc/resolv.conf names no server, so no download finds its host",
                 "configure DNS: resolv.conf(5)");
        else if (!facts_.unresolved.empty())
            find(HostCheck::NameServers,
                 fmt::format("DNS does not know {}, which the manifests or the source need",
                             facts_.unresolved),
                 fmt::format("getent ahosts {} asks as left4me does; configure DNS: resolv.conf(5)",
                             facts_.unresolved));
    }

    void git() {
        if (!facts_.has_git_source || is_there("usr/bin/git")) return;
        find(HostCheck::Git, "the source is a git repository, and git is not installed, so nobody can push",
             Changes::TheHost, {{"apt-get", "install", "--yes", "git"}});
    }

    void clock() {
        if (facts_.clock_is_synchronized) return;
        find(HostCheck::Clock,
             "the clock is not synchronized: windows, deadlines and certificates depend on it",
             Changes::TheHost,
             {{"apt-get", "install", "--yes", "systemd-timesyncd"}, {"timedatectl", "set-ntp", "true"}});
    }

    void ports() {
        std::set<unsigned> taken;
        for (const char* table : {"proc/net/udp", "proc/net/udp6"}) {
            const std::string text = text_of(at(table));
            for (const std::string_view line : split(text, '\n')) {
                // "  12: 00000000:6987 …", proc_pid_net(5).
                const std::size_t address = line.find(": ");
                const std::size_t colon =
                    address == std::string_view::npos ? address : line.find(':', address + 2);
                unsigned port = 0;
                if (colon == std::string_view::npos || colon + 5 > line.size()) continue;
                const char* const digits = line.data() + colon + 1;
                if (std::from_chars(digits, digits + 4, port, 16).ec == std::errc()) taken.insert(port);
            }
        }
        for (const auto& [name, port] : facts_.ports) {
            if (taken.contains(port))
                find(HostCheck::Ports,
                     fmt::format("port {} of server/{} is taken by another program", port, name),
                     fmt::format("ss -lunp sport = :{} shows which; end it, or choose another port", port));
        }
    }

    /// What may come in is for the host's owner to say, so nobody runs the remedy but they.
    void firewall() {
        for (const auto& [dropper, ports] : dropped_ports(facts_.ruleset, facts_.game_ports))
            find(HostCheck::Firewall,
                 printable_line(fmt::format(
                     "the firewall drops what players send to UDP {} {} (chain {} of table {} {})",
                     ports.size() == 1 ? "port" : "ports", ports_text(ports), dropper.chain, dropper.family,
                     dropper.table)),
                 command_to_accept(dropper, ports));
    }

    const HostFacts& facts_;
    std::vector<Finding> findings_;
};

}  // namespace

const char* to_string(HostCheck check) {
    switch (check) {
        case HostCheck::Kernel:
            return "Kernel";
        case HostCheck::Systemd:
            return "Systemd";
        case HostCheck::Cgroups:
            return "Cgroups";
        case HostCheck::Overlayfs:
            return "Overlayfs";
        case HostCheck::Memory:
            return "Memory";
        case HostCheck::FileSystem:
            return "FileSystem";
        case HostCheck::DiskSpace:
            return "DiskSpace";
        case HostCheck::Inodes:
            return "Inodes";
        case HostCheck::Users:
            return "Users";
        case HostCheck::Directories:
            return "Directories";
        case HostCheck::Secrets:
            return "Secrets";
        case HostCheck::Units:
            return "Units";
        case HostCheck::BusPolicy:
            return "BusPolicy";
        case HostCheck::FastOpen:
            return "FastOpen";
        case HostCheck::AddressFilter:
            return "AddressFilter";
        case HostCheck::Enablement:
            return "Enablement";
        case HostCheck::Daemon:
            return "Daemon";
        case HostCheck::Game:
            return "Game";
        case HostCheck::Libraries:
            return "Libraries";
        case HostCheck::Certificates:
            return "Certificates";
        case HostCheck::NameServers:
            return "NameServers";
        case HostCheck::Git:
            return "Git";
        case HostCheck::Clock:
            return "Clock";
        case HostCheck::Ports:
            return "Ports";
        case HostCheck::Firewall:
            return "Firewall";
    }
    return "";
}

std::vector<Finding> check_host(const HostFacts& facts) { return Inspection(facts).all(); }

Json findings_json(const std::vector<Finding>& findings) {
    Json json{{"findings", Json::array()}, {"notes", Json::array()}};
    for (const Finding& finding : findings)
        json[finding.is_note ? "notes" : "findings"].push_back(
            {{"check", to_string(finding.check)}, {"problem", finding.problem}, {"remedy", finding.remedy}});
    return json;
}

}  // namespace left4me::operations
