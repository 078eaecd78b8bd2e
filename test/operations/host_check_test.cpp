#include "operations/host_check.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

/// A host without a fault, in a directory, for a test to break.
class FakeMachine {
  public:
    FakeMachine() {
        facts.root = scratch_.path();
        facts.paths = {
            .state = root("var/lib/left4me"), .run = root("run/left4me"), .config = root("etc/left4me")};
        facts.kernel = "6.1.0-32-amd64";
        facts.memory = 16 * gib;
        facts.clock_is_synchronized = true;
        facts.has_git_source = facts.daemon_listens = facts.has_32_bit_game = true;
        facts.file_system = EXT4_SUPER_MAGIC;
        facts.free_bytes = 100 * gib;
        facts.inodes = 10'000'000;
        facts.free_inodes = 5'000'000;
        facts.servers = 20;
        facts.ports = {{"comp1", 27015}};
        facts.game_ports = {27015, 27016};
        facts.ruleset = rules_that_drop_but(R"({"set": [27015, 27016]})");
        make_system();
        make_left4me();
    }

    fs::path root(const std::string& path) const { return scratch_.path() / path; }
    void write(const std::string& path, const std::string& text = "x") const { scratch_.write(path, text); }
    void remove(const std::string& path) const { fs::remove_all(root(path)); }
    void mode(const std::string& path, mode_t mode) const { ::chmod(root(path).c_str(), mode); }

    void steamcmd(const std::string& name, const std::string& text) {
        write("opt/" + name, text);
        mode("opt/" + name, 0755);
        facts.steamcmd = root("opt/" + name);
    }

    HostFacts facts;

  private:
    void make_system() const {
        write("proc/filesystems", "nodev\tsysfs\nnodev\toverlay\n\text4\n");
        write("proc/sys/net/ipv4/tcp_fastopen", "0\n");
        write("proc/net/udp", udp("1F90"));
        write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
        fs::create_directories(root("run/systemd/system"));
        write("run/dbus/system_bus_socket");
        write("etc/ssl/certs/ca-certificates.crt");
        write("etc/resolv.conf", "# ours\nnameserver 192.0.2.1\n");
        write("usr/bin/git");
        write("lib/ld-linux.so.2");
        for (const char* name : {"libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"})
            write(std::string("usr/lib32/") + name);
    }

    void make_left4me() const {
        const std::string me = std::to_string(::getuid());
        write("etc/passwd", "root:x:" + me + ":0::/:/bin/sh\nleft4me:x:" + me +
                                ":9::/:/x\nleft4me-server:x:" + me + ":8::/:/x\nleft4me-probe:x:7:7::/:/x\n");
        write(
            "etc/group",
            "left4me-server:x:8:left4me\nsystemd-journal:x:5:other,left4me\nleft4me-operators:x:6:left4me\n");
        for (const char* name :
             {"left4me.service", "left4me-helper.service", "left4me-probe.service", "left4me-server@.service",
              "left4me-build@.service", "left4me-script@.service", "left4me-umount@.service",
              "left4me-attach@.service", "left4me-read.socket", "left4me-read@.service",
              "left4me-reconcile.service", "left4me-reconcile.timer", "left4me-refresh@.service",
              "left4me-proxy@.socket", "left4me-proxy@.service", "left4me-install@.service"})
            write(std::string("usr/lib/systemd/system/") + name);
        write("usr/share/dbus-1/system.d/org.left4me.Helper1.conf");
        write("usr/share/dbus-1/system-services/org.left4me.Helper1.service");
        write("etc/systemd/system/multi-user.target.wants/left4me.service");
        fs::create_directories(root("run/left4me/daemon"));
        write("var/lib/left4me/installation/srcds_run");
        write("etc/left4me/secrets/rcon");
        mode("etc/left4me/secrets/rcon", 0400);
        mode("var/lib/left4me/installation/srcds_run", 0755);
        for (const char* name : {"overlays", "instances", "runtime", "state"})
            fs::create_directories(root("var/lib/left4me") / name);
        for (const char* name : {"overlays", "instances"})
            mode(std::string("var/lib/left4me/") + name, 02750);
        for (const char* name :
             {"var/lib/left4me", "var/lib/left4me/runtime", "var/lib/left4me/state", "run/left4me"})
            mode(name, 0755);
        for (const char* name : {"var/lib/left4me/installation", "run/left4me/daemon"}) mode(name, 02755);
        fs::create_directories(root("run/left4me/turns"));
        mode("run/left4me/turns", 0700);
    }

  public:
    static std::string rules_that_drop_but(const std::string& ports) {
        const std::string chain = R"({"family": "inet", "table": "filter", )";
        return R"({"nftables": [{"chain": )" + chain +
               R"("name": "input", "hook": "input", "prio": 0, "policy": "drop"}}, {"rule": )" + chain +
               R"("chain": "input", "expr": [{"match": {"op": "==", "left": {"payload": )" +
               R"({"protocol": "udp", "field": "dport"}}, "right": )" + ports +
               R"(}}, {"accept": null}]}}]})";
    }

    static std::string udp(const std::string& hexadecimal_port) {
        return "   sl  local_address rem_address   st\n  512: 00000000:" + hexadecimal_port +
               " 00000000:0000 07 00000000:00000000\n";
    }

  private:
    test::Scratch scratch_;
};

struct Fault {
    HostCheck check;
    const char* problem;  ///< a part of what is said
    void (*make)(FakeMachine&);
};

const std::vector<Fault>& faults() {
    using M = FakeMachine;
    static const std::vector<Fault> all{
        {HostCheck::Kernel, "5.10.0", [](M& m) { m.facts.kernel = "5.10.0-8-amd64"; }},
        {HostCheck::Systemd, "not PID 1", [](M& m) { m.remove("run/systemd/system"); }},
        {HostCheck::Cgroups, "not cgroup v2", [](M& m) { m.remove("sys/fs/cgroup/cgroup.controllers"); }},
        {HostCheck::Cgroups, "no controller memory",
         [](M& m) { m.write("sys/fs/cgroup/cgroup.controllers", "cpu pids\n"); }},
        {HostCheck::Overlayfs, "no overlayfs", [](M& m) { m.write("proc/filesystems", "\text4\n"); }},
        {HostCheck::Memory, "too little for 20 servers", [](M& m) { m.facts.memory = 4 * gib; }},
        {HostCheck::FileSystem, "is on NFS", [](M& m) { m.facts.file_system = NFS_SUPER_MAGIC; }},
        {HostCheck::FileSystem, "noexec", [](M& m) { m.facts.may_execute = false; }},
        {HostCheck::DiskSpace, "1024 MiB left", [](M& m) { m.facts.free_bytes = gib; }},
        {HostCheck::Inodes, "7 more files", [](M& m) { m.facts.free_inodes = 7; }},
        {HostCheck::Users, "no user left4me-probe",
         [](M& m) {
             const std::string me = std::to_string(::getuid());
             m.write("etc/passwd",
                     "root:x:" + me + ":0\nleft4me:x:" + me + ":9\nleft4me-server:x:" + me + ":8\n");
         }},
        {HostCheck::Users, "not in group left4me-server",
         [](M& m) {
             m.write("etc/group",
                     "left4me-server:x:8:\nsystemd-journal:x:5:left4me\nleft4me-operators:x:6:left4me\n");
         }},
        {HostCheck::Users, "no group left4me-operators",
         [](M& m) { m.write("etc/group", "left4me-server:x:8:left4me\nsystemd-journal:x:5:left4me\n"); }},
        {HostCheck::Directories, "instances is not there",
         [](M& m) { m.remove("var/lib/left4me/instances"); }},
        {HostCheck::Directories, "overlays has mode 0777 instead of 2750",
         [](M& m) { m.mode("var/lib/left4me/overlays", 0777); }},
        {HostCheck::Directories, "does not belong to left4me",
         [](M& m) {
             const std::string me = std::to_string(::getuid());
             m.remove("var/lib/left4me/instances");
             m.write("etc/passwd", "root:x:" + me + ":0\nleft4me:x:" + std::to_string(::getuid() + 1) +
                                       ":9\nleft4me-server:x:" + me + ":8\nleft4me-probe:x:7:7\n");
         }},
        {HostCheck::Directories, "turns is not there", [](M& m) { m.remove("run/left4me/turns"); }},
        {HostCheck::Directories, "turns has mode 0755 instead of 0700",
         [](M& m) { m.mode("run/left4me/turns", 0755); }},
        {HostCheck::Directories, "turns does not belong to left4me-server",
         [](M& m) {
             const std::string me = std::to_string(::getuid());
             const std::string other = std::to_string(::getuid() + 1);
             m.write("etc/passwd", "root:x:" + me + ":0\nleft4me:x:" + me + ":9\nleft4me-server:x:" + other +
                                       ":8\nleft4me-probe:x:7:7\n");
         }},
        {HostCheck::Secrets, "rcon can be read by others",
         [](M& m) { m.mode("etc/left4me/secrets/rcon", 0444); }},
        {HostCheck::Units, "left4me-build@.service is not installed",
         [](M& m) { m.remove("usr/lib/systemd/system/left4me-build@.service"); }},
        {HostCheck::Units, "left4me-server@.service is masked",
         [](M& m) { fs::create_symlink("/dev/null", m.root("etc/systemd/system/left4me-server@.service")); }},
        {HostCheck::Units, "left4me-build@.service is masked until the next boot",
         [](M& m) {
             fs::create_directories(m.root("run/systemd/system"));
             fs::create_symlink("/dev/null", m.root("run/systemd/system/left4me-build@.service"));
         }},
        {HostCheck::Units, "changes the sandbox of left4me-server@.service: NoNewPrivileges=",
         [](M& m) {
             m.write("etc/systemd/system/left4me-server@.service.d/plugin.conf",
                     "[Service]\nMemoryMax=4G\n NoNewPrivileges = no\n");
         }},
        {HostCheck::BusPolicy, "no policy", [](M& m) { m.remove("usr/share/dbus-1/system.d"); }},
        {HostCheck::BusPolicy, "cannot start left4me-helper",
         [](M& m) { m.remove("usr/share/dbus-1/system-services"); }},
        {HostCheck::BusPolicy, "no system bus", [](M& m) { m.remove("run/dbus"); }},
        {HostCheck::FastOpen, "tcp_fastopen", [](M& m) { m.write("proc/sys/net/ipv4/tcp_fastopen", "1\n"); }},
        {HostCheck::Enablement, "is enabled: nothing",
         [](M& m) { m.remove("etc/systemd/system/multi-user.target.wants"); }},
        {HostCheck::Daemon, "does not run", [](M& m) { m.facts.daemon_listens = false; }},
        {HostCheck::Game, "not installed", [](M& m) { m.remove("var/lib/left4me/installation/srcds_run"); }},
        {HostCheck::Game, "not executable",
         [](M& m) { m.mode("var/lib/left4me/installation/srcds_run", 0644); }},
        {HostCheck::Game, "no steamcmd at /nowhere/steamcmd",
         [](M& m) { m.facts.steamcmd = "/nowhere/steamcmd"; }},
        {HostCheck::Game, "is not a program that user left4me may run",
         [](M& m) { m.facts.steamcmd = m.root("opt"), fs::create_directories(m.root("opt")); }},
        {HostCheck::Game, "is run by /nowhere/sh, which is not there",
         [](M& m) { m.steamcmd("steamcmd", "#! /nowhere/sh -e\n"); }},
        {HostCheck::Game, "is neither a program nor a script", [](M& m) { m.steamcmd("steamcmd", ""); }},
        {HostCheck::Game, "linux32/steamcmd, which is not there",
         [](M& m) { m.steamcmd("steamcmd.sh", "#!/bin/sh\n"); }},
        {HostCheck::Libraries, "32-bit libstdc++.so.6", [](M& m) { m.remove("usr/lib32/libstdc++.so.6"); }},
        {HostCheck::Libraries, "32-bit C library", [](M& m) { m.remove("lib/ld-linux.so.2"); }},
        {HostCheck::Certificates, "no certificates",
         [](M& m) { m.write("etc/ssl/certs/ca-certificates.crt", ""); }},
        {HostCheck::NameServers, "names no server",
         [](M& m) { m.write("etc/resolv.conf", "# nameserver 192.0.2.1\n"); }},
        {HostCheck::NameServers, "DNS does not know git.example.org",
         [](M& m) { m.facts.unresolved = "git.example.org"; }},
        {HostCheck::Git, "git is not installed", [](M& m) { m.remove("usr/bin/git"); }},
        {HostCheck::Clock, "not synchronized", [](M& m) { m.facts.clock_is_synchronized = false; }},
        {HostCheck::Ports, "port 27015 of server/comp1",
         [](M& m) { m.write("proc/net/udp6", M::udp("6987")); }},
        {HostCheck::Firewall, "UDP port 27016 (chain input of table inet filter)",
         [](M& m) { m.facts.ruleset = M::rules_that_drop_but("27015"); }},
    };
    return all;
}

}  // namespace

TEST_CASE("nothing is wrong with a host without a fault") {
    const FakeMachine machine;
    CHECK(findings_json(check_host(machine.facts)) ==
          Json{{"findings", Json::array()}, {"notes", Json::array()}});
}

TEST_CASE("what a host lacks and left4me does not need is a note, not a finding") {
    FakeMachine machine;
    machine.facts.address_filter = AddressFilter::Missing;
    const Json told = findings_json(check_host(machine.facts));
    CHECK(told["findings"].empty());
    REQUIRE(told["notes"].size() == 1);
    CHECK(told["notes"][0]["check"] == "AddressFilter");
    machine.facts.address_filter = AddressFilter::InForce;
    CHECK(findings_json(check_host(machine.facts))["notes"].empty());
}

TEST_CASE("each fault of a host is found with a remedy") {
    for (const Fault& fault : faults()) {
        FakeMachine machine;
        fault.make(machine);
        const auto findings = check_host(machine.facts);
        INFO(fault.problem << "\n" << findings_json(findings).dump(2));
        const bool found = std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
            return one.check == fault.check && one.problem.find(fault.problem) != std::string::npos &&
                   !one.remedy.empty();
        });
        CHECK(found);
        // One cause, one kind of finding.
        for (const Finding& one : findings) CHECK(one.check == fault.check);
    }
    CHECK(faults().size() >= 25);
}

TEST_CASE("a host is not asked for what it does not need") {
    FakeMachine machine;
    machine.write("etc/systemd/system/left4me.service.d/local.conf",
                  "# User=root\n[Service]\nMemoryMax=1G\nEnvironment=User=x\nRestart=always\n");
    machine.remove("usr/lib32");
    machine.facts.has_32_bit_game = false;
    machine.remove("usr/bin/git");
    machine.facts.has_git_source = false;
    machine.facts.ports.clear();
    machine.facts.game_ports.clear();
    machine.facts.ruleset = FakeMachine::rules_that_drop_but("1");
    machine.write("proc/net/udp", FakeMachine::udp("6987"));
    machine.facts.inodes = machine.facts.free_inodes = 0;  // btrfs
    machine.remove("etc/systemd/system/multi-user.target.wants");
    machine.write("etc/systemd/system/timers.target.wants/left4me-reconcile.timer");
    machine.facts.daemon_listens = false;
    machine.write("opt/linux32/steamcmd");
    machine.mode("opt/linux32/steamcmd", 0755);
    machine.steamcmd("steamcmd.sh", "#!/bin/sh\n");
    machine.write("proc/filesystems", "\text4\n");
    fs::create_directories(machine.root("lib/modules/6.1.0-32-amd64/kernel/fs/overlayfs"));
    CHECK(check_host(machine.facts).empty());
}
