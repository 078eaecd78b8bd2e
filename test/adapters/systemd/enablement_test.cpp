#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "adapters/systemd/enablement.hpp"
#include "adapters/systemd/unit_names.hpp"
#include "support/catch.hpp"

using namespace left4me;
namespace fs = std::filesystem;

namespace {

/// A host's two unit directories in a temporary directory.
class UnitDirectories {
  public:
    UnitDirectories() {
        char name[] = "/tmp/left4me-enablement-XXXXXX";
        root_ = mkdtemp(name);
        paths_.systemd_etc = root_ / "etc";
        paths_.systemd_run = root_ / "run";
        fs::create_directories(paths_.systemd_etc);
        fs::create_directories(paths_.systemd_run);
    }
    UnitDirectories(const UnitDirectories&) = delete;
    UnitDirectories& operator=(const UnitDirectories&) = delete;
    ~UnitDirectories() { fs::remove_all(root_); }

    void link(const fs::path& directory, const std::string& unit, const std::string& to) const {
        fs::create_directories(directory);
        fs::create_symlink(to, directory / unit);
    }
    void enable(const std::string& server, const std::string& target = "multi-user.target") const {
        link(paths_.systemd_etc / (target + ".wants"), server_unit(server),
             "/usr/lib/systemd/system/left4me-server@.service");
    }
    const Paths& paths() const { return paths_; }

  private:
    fs::path root_;
    Paths paths_;
};

}  // namespace

TEST_CASE("a server is enabled when any target of /etc wants it") {
    const UnitDirectories host;
    host.enable("comp1");
    host.enable("coop", "games.target");
    CHECK(read_enablement(host.paths()) ==
          std::map<std::string, Enablement>{{"comp1", Enablement::Enabled}, {"coop", Enablement::Enabled}});
}

TEST_CASE("an enablement that does not survive a reboot does not count") {
    const UnitDirectories host;
    host.link(host.paths().systemd_run / "multi-user.target.wants", server_unit("comp1"), "/x");
    CHECK(read_enablement(host.paths()).empty());
}

TEST_CASE("a mask in /etc or /run overrides an enablement") {
    const UnitDirectories host;
    for (const char* server : {"a", "b", "c"}) host.enable(server);
    host.link(host.paths().systemd_etc, server_unit("a"), "/dev/null");
    host.link(host.paths().systemd_run, server_unit("b"), "/dev/null");
    std::ofstream(host.paths().systemd_etc / server_unit("c")).close();
    for (const auto& [server, how] : read_enablement(host.paths())) {
        INFO(server);
        CHECK(how == Enablement::Masked);
    }
}

TEST_CASE("a regular unit file is not a mask") {
    const UnitDirectories host;
    std::ofstream(host.paths().systemd_etc / server_unit("a")) << "[Service]\n";
    host.link(host.paths().systemd_etc, server_unit("b"),
              "/opt/left4me/lib/systemd/system/left4me-server@.service");
    CHECK(read_enablement(host.paths()).empty());
}

TEST_CASE("units that no manifest could have created are ignored") {
    const UnitDirectories host;
    for (const char* name : {"Upper", "a.b", "a@b", "", "-a", "a-", "f\xc3\xbcnf", "a\\x2fb"})
        host.enable(name);
    host.enable(std::string(33, 'a'));
    host.link(host.paths().systemd_etc / "multi-user.target.wants", "ssh.service", "/x");
    host.link(host.paths().systemd_etc / "multi-user.target.wants", "left4me-server@a.timer", "/x");
    CHECK(read_enablement(host.paths()).empty());
}

TEST_CASE("a host without systemd's directories has nothing enabled") {
    Paths paths;
    paths.systemd_etc = "/nonexistent/etc";
    paths.systemd_run = "/nonexistent/run";
    CHECK(read_enablement(paths).empty());
}

TEST_CASE("a unit's object is named as sd-bus names it") {
    CHECK(unit_path(server_unit("comp-1")) ==
          "/org/freedesktop/systemd1/unit/left4me_2dserver_40comp_2d1_2eservice");
    CHECK(unit_path(server_unit("a")).starts_with(unit_path(server_unit_prefix)));
}
