#include <fmt/format.h>

#include <cstdlib>

#include "adapters/git/manifest_repository.hpp"
#include "adapters/git/repository.hpp"
#include "adapters/source/revision.hpp"
#include "support/catch.hpp"

using namespace left4me;
using left4me::test::coop;
using left4me::test::plain;
using left4me::test::Repository;

namespace {

/// A host that requires alice's signature.
struct World {
    Repository repository;
    GitSettings settings;
    Paths paths = repository.paths();
    std::string first;

    World() {
        make_key("alice");
        make_key("mallory");
        const std::string key = repository.scratch().read("alice.pub");
        settings = repository.settings();
        settings.allowed_signers = repository.scratch().write(
            "signers", "alice@example.org namespaces=\"git\" " + key.substr(0, key.rfind(' ')) + "\n");
        first = commit(coop, "alice");
        ManifestRepository source(settings, {});
        const auto snapshot = source.read();
        INFO((snapshot ? "" : snapshot.error().message));
        REQUIRE(snapshot);
        REQUIRE(keep_last_good(paths, *snapshot));
    }

    void make_key(const std::string& name) const {
        const std::string command = fmt::format("ssh-keygen -q -t ed25519 -N '' -C {0} -f {1}/{0}", name,
                                                repository.scratch().path().string());
        REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c): the shell of a test
    }

    std::string commit(const std::string& text, const std::string& signer) const {
        const std::string blob = repository.git("hash-object -w --stdin", text);
        const std::string tree = repository.git("mktree", "100644 blob " + blob + "\ta.yaml\n");
        const std::string parent = first.empty() ? "" : "-p " + first;
        const std::string sign = signer.empty() ? "" : "-S" + (repository.scratch().path() / signer).string();
        const std::string id =
            repository.git(fmt::format("-c gpg.format=ssh commit-tree -m x {} {} {}", parent, sign, tree));
        repository.git("update-ref refs/heads/main " + id);
        return id;
    }

    /// The first revision stays in force; returns the error of the rejected one.
    std::string holds() const {
        ManifestRepository source(settings, {});
        const auto now = revision_in_force(paths, source, {});
        REQUIRE(now);
        CHECK(now->error_kind == SourceErrorKind::Held);
        CHECK(now->snapshot.revision == first);
        CHECK(now->set.blueprints.contains("coop"));
        return now->error;
    }
};

}  // namespace

TEST_CASE("a commit that an allowed signer has signed is followed") {
    const World world;
    const std::string second = world.commit(plain, "alice");
    ManifestRepository source(world.settings, {});
    CHECK(revision_in_force(world.paths, source, {})->snapshot.revision == second);
}

TEST_CASE("an unsigned commit leaves the last good revision in force") {
    const World world;
    const std::string second = world.commit(plain, "");
    CHECK(world.holds().starts_with("commit " + second + " is not signed\n"));
}

TEST_CASE(
    "a commit signed by somebody else leaves the last good revision in force, whatever its author field "
    "says") {
    const World world;
    world.commit(plain, "mallory");
    CHECK(world.holds().find("is signed with a key that") != std::string::npos);
}

TEST_CASE("a commit that was changed after it was signed leaves the last good revision in force") {
    const World world;
    const std::string good = world.repository.git("cat-file commit " + world.commit(plain, "alice"));
    std::string bad = good + "\n";
    bad.replace(bad.find("\n\nx"), 3, "\n\ny");
    const std::string id = world.repository.git("hash-object -t commit -w --stdin", bad);
    world.repository.git("update-ref refs/heads/main " + id);
    CHECK(world.holds().find("an invalid signature") != std::string::npos);
}

TEST_CASE("a signature made for another purpose does not count") {
    const World world;
    std::string object = world.repository.git("cat-file commit " + world.commit(plain, "")) + "\n";
    const std::string data = world.repository.scratch().write("data", object).string();
    const std::string key = (world.repository.scratch().path() / "alice").string();
    REQUIRE(std::system(
                fmt::format("ssh-keygen -q -Y sign -n file -f {} {} 2>/dev/null", key, data).c_str()) == 0);
    std::string signature = world.repository.scratch().read("data.sig");
    std::string header = "gpgsig ";
    for (const char c : signature.substr(0, signature.size() - 1))
        header += c == '\n' ? std::string("\n ") : std::string(1, c);
    object.insert(object.find("\n\n") + 1, header + "\n");
    const std::string id = world.repository.git("hash-object -t commit -w --stdin", object);
    world.repository.git("update-ref refs/heads/main " + id);
    const std::string said = world.holds();
    CHECK((said.find("does not allow") != std::string::npos ||
           said.find("an invalid signature") != std::string::npos));
}

TEST_CASE("a signer who was removed from the list is no longer trusted") {
    const World world;
    world.commit(plain, "alice");
    world.repository.scratch().write("signers", "# nobody\n");
    CHECK(world.holds().find("does not allow") != std::string::npos);
}

TEST_CASE("without a list of signers, every commit is refused") {
    const World world;
    world.commit(plain, "alice");
    std::filesystem::remove(world.settings.allowed_signers);
    CHECK_FALSE(world.holds().empty());
}
