#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "adapters/git/fetch.hpp"
#include "adapters/git/known_hosts.hpp"
#include "adapters/git/manifest_repository.hpp"
#include "adapters/git/repository.hpp"
#include "support/catch.hpp"

using namespace left4me;
using left4me::git::HostKey;
using left4me::git::look_up_host_key;
using left4me::test::coop;
using left4me::test::plain;
using left4me::test::Repository;
using left4me::test::Scratch;

namespace {

GitSettings following(const Repository& origin, const Scratch& here) {
    GitSettings settings;
    settings.repository = here.path() / "here.git";
    settings.remote = "file://" + origin.path().string();
    return settings;
}

std::expected<void, std::string> fetch(const GitSettings& settings) {
    return git::fetch_apart(settings, LEFT4ME_FETCH_PROGRAM);
}

/// A host that follows a remote with one commit, which it has not fetched yet.
struct World {
    Repository origin;
    Scratch here;
    std::string first = origin.commit({{"a.yaml", {coop}}});
    GitSettings settings = following(origin, here);
    ManifestRepository source{settings, {}};
};

}  // namespace

TEST_CASE("a remote is fetched into the host's repository, and read from there") {
    World world;
    CHECK(world.source.fetch_interval() == std::chrono::seconds(60));
    const auto before = world.source.read();
    REQUIRE_FALSE(before);
    CHECK(before.error().error_kind == SourceErrorKind::Vanished);
    REQUIRE(fetch(world.settings));
    REQUIRE(world.source.read());
    CHECK(world.source.read()->revision == world.first);
    CHECK(world.source.read_revision("main")->revision == world.first);

    const std::string second = world.origin.commit({{"a.yaml", {plain}}});
    CHECK(world.source.read()->revision == world.first);
    REQUIRE(fetch(world.settings));
    CHECK(world.source.read()->revision == second);
    CHECK(world.source.follows(world.first, second));
    CHECK_FALSE(world.source.follows(second, world.first));
}

TEST_CASE("a remote's rewritten branch is fetched and recognised as rewritten") {
    World world;
    REQUIRE(fetch(world.settings));
    const std::string other = world.origin.commit({{"a.yaml", {plain}}}, "main", "none");
    REQUIRE(fetch(world.settings));
    CHECK(world.source.read()->revision == other);
    CHECK_FALSE(world.source.follows(world.first, other));
}

TEST_CASE("if the remote or its branch is gone, the fetched state stays") {
    World world;
    REQUIRE(fetch(world.settings));
    std::string expected;
    SECTION("gone") {
        std::filesystem::remove_all(world.origin.path());
        expected = world.origin.path().string();
    }
    SECTION("without the branch") {
        world.origin.git("branch -m main other");
        expected = "has no branch main";
    }
    const auto fetched = fetch(world.settings);
    REQUIRE_FALSE(fetched);
    CHECK(fetched.error().find(expected) != std::string::npos);
    REQUIRE(world.source.read());
    CHECK(world.source.read()->revision == world.first);
}

TEST_CASE("a repository on this host may belong to somebody else") {
    if (::geteuid() != 0) return;  // only root can give files away
    World world;
    REQUIRE(std::system(fmt::format("chown -R 65534 {}", world.origin.path().string()).c_str()) == 0);
    const auto fetched = fetch(world.settings);
    INFO((fetched ? "" : fetched.error()));
    CHECK(fetched);
}

TEST_CASE("URL rewriting in the repository's configuration is ignored") {
    World world;
    const Repository other;
    other.commit({{"a.yaml", {plain}}});
    REQUIRE(fetch(world.settings));
    world.here.write("here.git/config",
                     fmt::format("[core]\n\tbare = true\n[url \"file://{}\"]\n\tinsteadOf = file://{}\n",
                                 other.path().string(), world.origin.path().string()));
    REQUIRE(fetch(world.settings));
    CHECK(world.source.read()->revision == world.first);
}

TEST_CASE("an unreachable remote is an error that names it") {
    const Scratch here;
    GitSettings settings;
    settings.repository = here.path() / "here.git";
    settings.remote = "https://127.0.0.1:1/m.git";
    const auto fetched = fetch(settings);
    REQUIRE_FALSE(fetched);
    CHECK(fetched.error().starts_with("https://127.0.0.1:1/m.git: "));
}

TEST_CASE("a fetch that cannot be started is only an error") {
    const Repository origin;
    const Scratch here;
    CHECK(git::fetch_apart(following(origin, here), "/nonexistent/left4me-fetch")
              .error()
              .find("left4me-fetch") != std::string::npos);
    const std::filesystem::path falls = here.write("falls", "#!/bin/sh\nkill -SEGV $$\n");
    std::filesystem::permissions(falls, std::filesystem::perms::owner_all);
    CHECK(git::fetch_apart(following(origin, here), falls).error().find("ended by signal 11") !=
          std::string::npos);
}

TEST_CASE("host keys are compared with what known_hosts says") {
    // "key one" and "key two" in base64; the hashed line is for example.org.
    const std::string one = "example.org,192.0.2.1 ssh-ed25519 a2V5IG9uZQ== a comment\n";
    CHECK(look_up_host_key(one, "example.org", 0, "key one") == HostKey::Known);
    CHECK(look_up_host_key(one, "192.0.2.1", 22, "key one") == HostKey::Known);
    CHECK(look_up_host_key(one, "example.org", 0, "key two") == HostKey::Other);
    CHECK(look_up_host_key(one, "example.com", 0, "key one") == HostKey::UnknownHost);
    CHECK(look_up_host_key(one, "example.org", 2222, "key one") == HostKey::UnknownHost);
    CHECK(look_up_host_key("[example.org]:2222 ssh-rsa a2V5IG9uZQ==\n", "example.org", 2222, "key one") ==
          HostKey::Known);
    CHECK(look_up_host_key("*.example.org,!bad.example.org ssh-rsa a2V5IG9uZQ==", "good.example.org", 0,
                           "key one") == HostKey::Known);
    CHECK(look_up_host_key("*.example.org,!bad.example.org ssh-rsa a2V5IG9uZQ==", "bad.example.org", 0,
                           "key one") == HostKey::UnknownHost);
    CHECK(look_up_host_key(one + "@revoked * ssh-ed25519 a2V5IG9uZQ==\n", "example.org", 0, "key one") ==
          HostKey::Revoked);
    CHECK(look_up_host_key("@cert-authority * ssh-ed25519 a2V5IG9uZQ==\n", "example.org", 0, "key one") ==
          HostKey::UnknownHost);
    CHECK(look_up_host_key("# example.org ssh-rsa a2V5IG9uZQ==\n\n", "example.org", 0, "key one") ==
          HostKey::UnknownHost);
    CHECK(look_up_host_key("", "example.org", 0, "") == HostKey::UnknownHost);
    CHECK(look_up_host_key("example.org ssh-rsa !!!!\nexample.org ssh-rsa\n", "example.org", 0, "") ==
          HostKey::Other);
}

TEST_CASE("host names that ssh-keygen has hashed are found") {
    const Scratch scratch;
    scratch.write(
        "known_hosts",
        "example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n");
    REQUIRE(
        std::system(fmt::format("ssh-keygen -q -H -f {}/known_hosts >/dev/null 2>&1", scratch.path().string())
                        .c_str()) == 0);
    const std::string hashed = scratch.read("known_hosts");
    REQUIRE(hashed.starts_with("|1|"));
    CHECK(look_up_host_key(hashed, "example.org", 0, "x") == HostKey::Other);
    CHECK(look_up_host_key(hashed, "example.com", 0, "x") == HostKey::UnknownHost);
}
