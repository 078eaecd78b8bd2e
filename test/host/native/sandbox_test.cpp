#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "host/native/support.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::host;
namespace fs = std::filesystem;

namespace {

/// The result of a shell command that the game tried from inside, yes or no.
std::string probe(const std::string& name, const std::string& command) {
    return "if { " + command + "; } >/dev/null 2>&1; then echo '" + name + " yes'; else echo '" + name +
           " no'; fi\n";
}

std::string answer(const std::string& text, const std::string& name) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + " ")) return line.substr(name.size() + 1);
    return "nothing";
}

std::string read(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

std::size_t running(const std::string& servers) {
    const std::string lines =
        run("systemctl list-units --plain --no-legend --state=running '" + unit(servers) + "'").output;
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
}

int sandbox(const std::string& words) {
    return run("/usr/libexec/left4me-sandbox " + words + " </dev/null").status;
}

}  // namespace

TEST_CASE("a game server can read and write what it needs and nothing else") {
    RealServers servers;
    servers.add("neighbour", "echo x >/dev/shm/theirs; exec sleep infinity");
    write("/etc/left4me/secrets/rcon", "hunter2");
    (void)run("chown left4me: /etc/left4me/secrets/rcon; chmod 644 /etc/left4me/secrets/rcon");
    write("/srv/readable", "x");
    REQUIRE(run("systemctl start " + unit("neighbour")).status == 0);
    const std::string pid = property("neighbour", "MainPID");

    const std::string neighbour = RealServers::runtime("neighbour").string();
    std::string script;
    const auto add = [&](const char* name, const std::string& command) { script += probe(name, command); };
    add("write-merged", "echo x >new.txt");
    add("copy-up", "echo '// x' >>left4dead2/lower.cfg");
    add("write-tmp", "echo x >/tmp/x");
    add("home", "test \"$HOME\" = \"$PWD\" && test -d \"$HOME\"");
    add("env", "test \"$1 $2\" = '-norestart -game'");
    add("resolver", "cat /etc/nsswitch.conf || cat /etc/passwd");
    add("write-usr", "echo x >/usr/x");
    add("write-etc", "echo x >/etc/x");
    add("write-var", "echo x >/var/lib/x");
    add("state",
        "ls /var/lib/left4me/instances || ls /var/lib/left4me/state || ls /var/lib/left4me/overlays");
    add("installation", "ls /var/lib/left4me/installation");
    add("upper", "ls /var/lib/left4me/runtime/sandboxed/upper");
    add("write-rendering", "echo x >/var/lib/left4me/runtime/sandboxed/rendering/server.env");
    add("neighbour", "ls -d " + neighbour + " || ls " + neighbour + "/upper");
    add("neighbours-mounts", "grep -e neighbour -e /var/lib/left4me/overlays /proc/self/mountinfo");
    add("neighbour-signal", "kill -0 " + pid);
    add("own-mounts", "grep ' /var/lib/left4me/runtime/sandboxed/merged ' /proc/self/mountinfo");
    add("write-root", "echo x >/x || mkdir /y || echo x >/run/x");
    add("shared-memory", "echo x >/dev/shm/x");
    add("neighbours-shared-memory", "ls /dev/shm/theirs");
    add("new-device", "mknod /tmp/null c 1 3 && echo x >/tmp/null");
    add("capabilities", "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status | grep -v 0000000000000000");
    add("privileges",
        "grep -vq '^NoNewPrivs:.1' /proc/self/status && ! grep -q '^NoNewPrivs:.1' /proc/self/status");
    add("groups", "test \"$(id -G)\" != \"$(id -g)\"");
    add("sys", "ls /sys/fs /sys/class");
    add("neighbour-root", "ls /proc/" + pid + "/root/");
    add("neighbour-memory", "head -c 1 /proc/" + pid + "/environ");
    add("others-processes", "ls /proc/1/");
    add("secrets", "ls /etc/left4me || cat /etc/left4me/secrets/rcon");
    add("bus", "ls /run/dbus || test -S /run/dbus/system_bus_socket || ls /run/systemd/private");
    add("devices", "ls /dev/kmsg || ls /dev/vda");
    add("home-directories", "ls /root || ls /home");
    add("srv", "cat /srv/readable");
    add("user-namespace", "unshare --user true");
    add("mount", "mount -t tmpfs x /tmp");
    add("kernel", "echo 1 >/proc/sys/kernel/sysrq || dmesg");
    add("setuid", "cp /usr/bin/true t && chmod u+s t");
    servers.add("sandboxed", "{ " + script + "} >verdict.tmp; mv verdict.tmp verdict\nexec sleep infinity");
    const fs::path layer = "/var/lib/left4me/instances/sandboxed/0123456789abcdef/layer";
    write(layer / "left4dead2/lower.cfg", "// lower\n");
    (void)run("chown -R left4me:left4me-server " + layer.string() + "; chmod -R g+w " + layer.string());

    REQUIRE(run("systemctl start " + unit("sandboxed")).status == 0);
    const fs::path verdict = RealServers::runtime("sandboxed") / "upper/verdict";
    REQUIRE(eventually([&] { return fs::exists(verdict); }));
    const std::string text = read(verdict);
    for (const char* allowed :
         {"write-merged", "copy-up", "write-tmp", "home", "env", "resolver", "own-mounts", "shared-memory"}) {
        INFO(allowed);
        CHECK(answer(text, allowed) == "yes");
    }
    for (const char* forbidden : {"write-usr",
                                  "write-etc",
                                  "write-var",
                                  "state",
                                  "installation",
                                  "upper",
                                  "write-rendering",
                                  "neighbour",
                                  "neighbours-mounts",
                                  "neighbours-shared-memory",
                                  "write-root",
                                  "new-device",
                                  "capabilities",
                                  "privileges",
                                  "groups",
                                  "sys",
                                  "neighbour-root",
                                  "neighbour-memory",
                                  "neighbour-signal",
                                  "others-processes",
                                  "secrets",
                                  "bus",
                                  "devices",
                                  "home-directories",
                                  "srv",
                                  "user-namespace",
                                  "mount",
                                  "kernel",
                                  "setuid"}) {
        INFO(forbidden);
        CHECK(answer(text, forbidden) == "no");
    }
    fs::remove("/etc/left4me/secrets/rcon");
    fs::remove("/srv/readable");
}

TEST_CASE("a game cannot make the calls that created its sandbox, natively or as a 32-bit program") {
    RealServers servers;
    servers.add("probe", "/usr/libexec/left4me-tests/sandbox_probe >v.tmp; mv v.tmp v; exec sleep infinity");
    REQUIRE(run("systemctl start " + unit("probe")).status == 0);
    const fs::path verdict = RealServers::runtime("probe") / "upper/v";
    REQUIRE(eventually([&] { return fs::exists(verdict); }));
    const std::string text = read(verdict);
    for (const char* call : {"mount", "umount2", "pivot_root", "chroot", "fsopen", "open_tree", "move_mount",
                             "mount_setattr", "setns", "setresuid", "setgroups", "capset", "bpf",
                             "unshare-user", "unshare-mount", "unshare-time", "clone-user"}) {
        for (const std::string& name : {std::string(call), std::string(call) + "32"}) {
            INFO(name);
            CHECK(answer(text, name) == std::to_string(EPERM));
        }
    }
    CHECK(answer(text, "clone3") == std::to_string(ENOSYS));
    CHECK(answer(text, "clone332") == std::to_string(ENOSYS));
}

TEST_CASE("the sandbox program refuses invalid names, and shows only a rendering of its server") {
    for (const char* name :
         {"../etc", "a/b", "@", "''", "Upper", "-x", "0123456789abcdef0123456789abcdefg", "ä"})
        CHECK(sandbox(name) == 2);
    CHECK(sandbox("") == 2);
    CHECK(sandbox("one two") == 2);
    CHECK(run("setpriv --reuid left4me --regid left4me --clear-groups /usr/libexec/left4me-sandbox comp1")
              .status == 5);
    CHECK(sandbox("never-heard-of") == 5);

    RealServers servers;
    servers.add("refused", "exec sleep infinity");
    const fs::path runtime = RealServers::runtime("refused");
    const auto relink = [&runtime](const fs::path& target) {
        fs::remove(runtime / "rendering");
        fs::create_symlink(target, runtime / "rendering");
    };
    REQUIRE(run("/usr/libexec/left4me-overlay mount refused").status == 0);
    relink("/etc");
    CHECK(sandbox("refused") == 3);
    relink("../../instances/other/0123456789abcdef");
    CHECK(sandbox("refused") == 3);
    relink("../../instances/refused/../../../..");
    CHECK(sandbox("refused") == 3);
    // A rendering that is a link: only left4me could create one, and it has no effect.
    relink("../../instances/refused/fedcba9876543210");
    fs::create_directory_symlink("/root", "/var/lib/left4me/instances/refused/fedcba9876543210");
    CHECK(sandbox("refused") == 5);
    // Root does not show the game what the game may not read on the host.
    fs::remove("/var/lib/left4me/instances/refused/fedcba9876543210");
    relink("../../instances/refused/0123456789abcdef");
    (void)run("chmod 700 /var/lib/left4me/instances/refused");
    CHECK(sandbox("refused") == 5);
    (void)run("chmod 755 /var/lib/left4me/instances/refused");
    REQUIRE(run("/usr/libexec/left4me-overlay umount refused").status == 0);
    CHECK(sandbox("refused") == 4);
}

TEST_CASE("twenty servers come and go while the others run, and every overlay goes with its server") {
    RealServers servers;
    const auto names = numbered("twenty-", 20);
    for (const std::string& name : names) servers.add(name);
    const auto started = ask("Start", names);
    REQUIRE(started);
    REQUIRE(eventually([&] { return running("twenty-*") == 20; }));
    const std::string first_pid = property("twenty-0", "MainPID");
    // Namespaces come and go all the time while each server is stopped separately.
    for (std::size_t i = 1; i < names.size(); ++i) {
        INFO(names[i]);
        const std::string& other = names[i == 1 ? 19 : i - 1];
        (void)run("systemctl restart --no-block " + unit(other));
        REQUIRE(run("systemctl stop " + unit(names[i])).status == 0);
        CHECK_FALSE(is_mounted(names[i]));
        CHECK(property(names[i], "Result") == "success");
        CHECK(run("systemctl start " + unit(names[i])).status == 0);
        CHECK(is_mounted(names[i]));
    }
    CHECK(property("twenty-0", "MainPID") == first_pid);
    REQUIRE(ask("Stop", names));
    CHECK(eventually([&] { return std::none_of(names.begin(), names.end(), is_mounted); }));
    CHECK(run("journalctl -b -u 'left4me-server@twenty-*' | grep -i busy").output == "");
}
