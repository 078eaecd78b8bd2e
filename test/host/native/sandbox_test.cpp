#include <algorithm>
#include <fstream>
#include <sstream>

#include "host/native/support.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::host;
namespace fs = std::filesystem;

namespace {

/// Says yes or no to a shell command, tried by the game from inside.
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

}  // namespace

TEST_CASE("a game server sees and writes what it needs and nothing else") {
    RealServers servers;
    servers.add("neighbour", "echo mine >own.txt; exec sleep infinity");
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
    // The neighbours' empty mount points are no secret, what is in them is.
    add("neighbour", "cat " + neighbour + "/merged/own.txt || ls " + neighbour + "/upper");
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
    for (const char* allowed : {"write-merged", "copy-up", "write-tmp", "home", "env", "resolver"}) {
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
                                  "neighbour-root",
                                  "neighbour-memory",
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

TEST_CASE("twenty servers come and go while the others run, and every overlay goes with its server") {
    RealServers servers;
    const auto names = numbered("twenty-", 20);
    for (const std::string& name : names) servers.add(name);
    const auto started = ask("Start", names);
    REQUIRE(started);
    REQUIRE(eventually([&] { return running("twenty-*") == 20; }));
    const std::string first_pid = property("twenty-0", "MainPID");
    // Namespaces are set up and torn down all the time while each server is stopped alone.
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
