#include <thread>

#include "adapters/git/manifest_repository.hpp"
#include "adapters/git/repository.hpp"
#include "support/catch.hpp"

using namespace left4me;
using left4me::test::coop;
using left4me::test::plain;
using left4me::test::Repository;

namespace {

const Authorship bob{.name = "Bob Builder", .email = "bob@host1", .message = "server/comp1 created\n"};

}  // namespace

TEST_CASE("a change becomes a commit on top, by the person who made it, and changes nothing else") {
    const Repository repository;
    const std::string base = repository.commit({{"a/deep/x.yaml", {coop, "100755"}},
                                                {"b.yaml", {plain}},
                                                {"README.md", {"words"}},
                                                {"gone.yaml", {coop}}});
    ManifestRepository source(repository.settings(), {});
    SourceChange change;
    change.base = base;
    change.write["a/deep/x.yaml"] = "# new\n" + coop;
    change.write["n/e/w.yaml"] = plain;
    change.remove.insert("gone.yaml");
    const auto revision = source.commit(change, bob);
    REQUIRE(revision);
    CHECK(repository.git("rev-parse main") == *revision);
    CHECK(repository.git("rev-parse main^") == base);
    CHECK(repository.git("log -1 --format='%an <%ae> %cn <%ce> %s'") ==
          "Bob Builder <bob@host1> left4me <left4me@host1> server/comp1 created");
    CHECK(repository.git("diff --raw --abbrev=4 main^ main").find("100755 100755") != std::string::npos);
    CHECK(repository.git("diff --no-renames --name-status main^ main") ==
          "M\ta/deep/x.yaml\nD\tgone.yaml\nA\tn/e/w.yaml");
    CHECK(repository.git("show main:a/deep/x.yaml") + "\n" == "# new\n" + coop);
    repository.git("fsck --strict");
    CHECK(source.read()->revision == *revision);
}

TEST_CASE("removing the last file of a directory removes the directory") {
    const Repository repository;
    SourceChange change;
    change.base = repository.commit({{"a/deep/x.yaml", {coop}}, {"b.yaml", {plain}}});
    change.remove.insert("a/deep/x.yaml");
    ManifestRepository source(repository.settings(), {});
    REQUIRE(source.commit(change, bob));
    CHECK(source.read()->files.size() == 1);
    CHECK(repository.git("ls-tree -r --name-only main") == "b.yaml");
    repository.git("fsck --strict");
}

TEST_CASE("the first commit of a repository has no parent") {
    const Repository repository;
    SourceChange change;
    change.write["server-a.yaml"] = coop;
    const auto revision = ManifestRepository(repository.settings(), {}).commit(change, bob);
    REQUIRE(revision);
    CHECK(repository.git("rev-list --count main") == "1");
}

TEST_CASE("a concurrent push is not lost: the change must be redone") {
    const Repository repository;
    SourceChange change;
    change.base = repository.commit({{"a.yaml", {coop}}});
    change.write["a.yaml"] = "# ours\n" + coop;
    const std::string theirs = repository.commit({{"a.yaml", {"# theirs\n" + coop}}});
    ManifestRepository source(repository.settings(), {});
    const auto refused = source.commit(change, bob);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().moved);
    CHECK(repository.git("rev-parse main") == theirs);
    change.base.clear();
    CHECK(source.commit(change, bob).error().moved);
    change.base = theirs;
    CHECK(source.commit(change, bob));
}

TEST_CASE("a reference that git has locked is retried later") {
    const Repository repository;
    SourceChange change;
    change.base = repository.commit({{"a.yaml", {coop}}});
    change.write["a.yaml"] = plain;
    repository.scratch().write("m.git/refs/heads/main.lock", "");
    const auto refused = ManifestRepository(repository.settings(), {}).commit(change, bob);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().moved);
}

TEST_CASE("four writers at once lose no change") {
    const Repository repository;
    repository.commit({{"a.yaml", {coop}}});
    const auto write = [&repository](int writer) {
        for (int i = 0; i < 10; ++i) {
            ManifestRepository source(repository.settings(), {});
            for (;;) {
                const auto before = source.read();
                SourceChange change;
                change.base = before->revision;
                change.write["w" + std::to_string(writer) + "-" + std::to_string(i) + ".yaml"] = plain;
                const auto done = source.commit(change, bob);
                if (done) break;
                if (!done.error().moved) return;
            }
        }
    };
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer) writers.emplace_back(write, writer);
    for (std::thread& writer : writers) writer.join();
    CHECK(repository.git("rev-list --count main") == "41");
    CHECK(ManifestRepository(repository.settings(), {}).read()->files.size() == 41);
}

TEST_CASE("if commits must be signed, or the branch is a remote's, nothing is committed here") {
    const Repository repository;
    SourceChange change;
    change.base = repository.commit({{"a.yaml", {coop}}});
    change.write["a.yaml"] = plain;
    GitSettings settings = repository.settings();
    SECTION("signed") { settings.allowed_signers = "/etc/left4me/signers"; }
    SECTION("remote") { settings.remote = "https://example.org/m.git"; }
    const auto refused = ManifestRepository(settings, {}).commit(change, bob);
    REQUIRE_FALSE(refused);
    CHECK_FALSE(refused.error().moved);
    CHECK(refused.error().message.find("push") != std::string::npos);
    CHECK(repository.git("rev-parse main") == change.base);
}
