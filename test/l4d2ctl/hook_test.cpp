// Real pushes with real git to a repository whose hooks run the real program.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "l4d2ctl/program.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me::test;
namespace fs = std::filesystem;

namespace {

/// A host's repository with its hooks, and somebody's clone of it.
class World {
  public:
    explicit World(const std::string& more = {}) {
        fs::permissions(
            scratch_.path(),
            fs::perms::group_exec | fs::perms::others_exec | fs::perms::group_read | fs::perms::others_read,
            fs::perm_options::add);
        config_ = scratch_.write("config.yaml", "source:\n  git:\n    repository: " + host() + "\n" + more)
                      .string();
        REQUIRE(sh("git init -q --bare -b main " + host() + " && git init -q -b main " + clone()) == 0);
        for (const char* const hook : {"pre-receive", "post-receive"}) {
            const fs::path path = scratch_.write(
                fmt::format("host.git/hooks/{}", hook),
                fmt::format("#!/bin/sh\nexec {} --config {} hook {}\n", L4D2CTL_PROGRAM, config_, hook));
            fs::permissions(path, fs::perms::owner_exec | fs::perms::others_exec, fs::perm_options::add);
        }
        REQUIRE(git("config user.name alice && git config user.email alice@example.org") == 0);
    }

    std::string host() const { return (scratch_.path() / "host.git").string(); }
    std::string clone() const { return (scratch_.path() / "clone").string(); }
    const std::string& config() const { return config_; }

    void write(const std::string& name, const std::string& text) const {
        scratch_.write("clone/" + name, text);
    }
    int git(const std::string& words) const { return sh("cd " + clone() + " && git " + words); }
    void commit() const { REQUIRE(git("add -A . && git commit -qm change") == 0); }
    /// Whether the push was accepted; said() has its output.
    bool push(const std::string& words = "HEAD:main") const {
        return git("push " + host() + " " + words) == 0;
    }
    std::string said() const { return scratch_.read("said"); }
    std::string head() const {
        (void)sh("git --git-dir=" + host() + " rev-parse -q --verify main");
        return said();
    }

  private:
    int sh(const std::string& command) const {
        const std::string all = fmt::format("export GIT_CONFIG_GLOBAL=/dev/null; ( {} ) >{}/said 2>&1",
                                            command, scratch_.path().string());
        return std::system(all.c_str());  // NOLINT(cert-env33-c): the shell of a test
    }

    Scratch scratch_;
    std::string config_;
};

}  // namespace

TEST_CASE("a valid push enters the branch and prints the next steps") {
    const World world;
    world.write("servers/coop.yaml", coop);
    world.commit();
    REQUIRE(world.push());
    const std::string said = world.said();
    CHECK(said.find("remote: left4me: main is at " + world.head().substr(0, 40) + " now") !=
          std::string::npos);
    CHECK(said.find("l4d2ctl reconcile") != std::string::npos);  // no daemon runs here
}

TEST_CASE("an invalid push shows its errors with their positions, and the branch does not move") {
    const World world;
    world.write("servers/coop.yaml", coop);
    world.commit();
    REQUIRE(world.push());
    const std::string before = world.head();
    world.write("servers/bad.yaml", "apiVersion: left4me/v1\nkind: Servr\n");
    world.commit();
    CHECK_FALSE(world.push());
    const std::string said = world.said();
    CHECK(said.find("remote: servers/bad.yaml:2:7: ") != std::string::npos);
    CHECK(said.find("did you mean 'Server'?") != std::string::npos);
    CHECK(world.head() == before);
    CHECK_FALSE(world.push("--force HEAD:main"));
    CHECK(world.head() == before);
}

TEST_CASE("a push is checked as a whole: many branches, one of them wrong, and nothing moves") {
    const World world;
    world.write("a.yaml", coop);
    world.commit();
    REQUIRE(world.push());
    const std::string before = world.head();
    world.write("a.yaml", "nonsense\n");
    world.commit();
    CHECK_FALSE(world.push("HEAD:main HEAD:other"));
    CHECK(world.head() == before);
    // Another branch alone is accepted, and the output says that no host follows it.
    CHECK(world.push("HEAD:other"));
    CHECK(world.said().find("this host follows main, so other changes nothing on it") != std::string::npos);
}

TEST_CASE("a branch without manifests, and the deletion of any branch, are refused") {
    const World world;
    world.write("README.md", "soon\n");
    world.commit();
    CHECK_FALSE(world.push());
    CHECK(world.said().find("holds no manifest") != std::string::npos);
    world.write("a.yaml", coop);
    world.commit();
    REQUIRE(world.push());
    CHECK_FALSE(world.push(":main"));
    CHECK(world.said().find("is not deleted") != std::string::npos);
    CHECK(world.push("HEAD:other"));
    CHECK_FALSE(world.push(":other"));
    CHECK(world.said().find("a push deletes nothing here") != std::string::npos);
}

TEST_CASE("a forced push enters the branch, and the output says that it waits for a person") {
    const World world;
    world.write("a.yaml", coop);
    world.commit();
    REQUIRE(world.push());
    world.write("a.yaml", std::string("# anew\n") + coop);
    REQUIRE(world.git("add -A . && git commit -q --amend -m anew") == 0);
    CHECK_FALSE(world.push());
    REQUIRE(world.push("--force HEAD:main"));
    CHECK(world.said().find("sudo l4d2ctl approve") != std::string::npos);
}

TEST_CASE("a symlink is refused in a push") {
    const World world;
    world.write("a.yaml", coop);
    fs::create_symlink("/etc/passwd", world.clone() + "/b.yaml");
    world.commit();
    CHECK_FALSE(world.push());
    CHECK(world.said().find("remote: b.yaml: is a symlink") != std::string::npos);
}

TEST_CASE("an alias bomb, and ten thousand and one documents, are refused quickly") {
    const World world;
    std::string text;
    SECTION("bomb") {
        text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
        for (char c = 'b'; c < 'k'; ++c) {
            const char before = static_cast<char>(c - 1);
            text += fmt::format("{0}: &{0} [*{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}]\n", c,
                                before);
        }
    }
    SECTION("documents") {
        for (int i = 0; i < 10'001; ++i) text += fmt::format("---\nkind: Server\nname: s{}\n", i);
    }
    world.write("a.yaml", text);
    world.commit();
    const auto used = [] {
        rusage usage{};
        ::getrusage(RUSAGE_CHILDREN, &usage);
        return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    };
    const auto before = used();
    CHECK_FALSE(world.push());
    CHECK(used() - before < 10);
    CHECK(world.said().find("remote: a.yaml:") != std::string::npos);
    CHECK(world.said().size() < 50'000);
}

TEST_CASE("only the configured directory is checked") {
    const World world("    directory: hosts/eu\n    branch: live\n");
    world.write("hosts/eu/a.yaml", coop);
    world.write("hosts/us/a.yaml", "nonsense\n");
    world.commit();
    CHECK(world.push("HEAD:live"));
    world.write("hosts/eu/a.yaml", "nonsense\n");
    world.commit();
    CHECK_FALSE(world.push("HEAD:live"));
    CHECK(world.said().find("remote: hosts/eu/a.yaml:1:1: ") != std::string::npos);
}

TEST_CASE("a host that follows a remote refuses pushes") {
    const World world("    remote: https://example.org/m.git\n");
    world.write("a.yaml", coop);
    world.commit();
    CHECK_FALSE(world.push());
    CHECK(world.said().find("this host follows branch main of https://example.org/m.git; push there") !=
          std::string::npos);
}

TEST_CASE("pushed revisions can be compared by any name") {
    const World world;
    world.write("a.yaml", "nonsense\n");
    world.commit();
    REQUIRE(world.push("HEAD:topic"));
    const Said said = l4d2ctl("--config " + world.config() + " diff --revision topic");
    CHECK(said.code == 3);
    CHECK(said.err.find(":a.yaml:1:1: ") != std::string::npos);
    CHECK(l4d2ctl("--config " + world.config() + " diff --revision nonsense").code == 4);
    CHECK(l4d2ctl("--config " + world.config() + " diff --revision topic -f -", coop).code == 2);
}
