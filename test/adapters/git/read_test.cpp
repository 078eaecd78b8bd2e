#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "adapters/git/manifest_repository.hpp"
#include "adapters/git/repository.hpp"
#include "adapters/source/revision.hpp"
#include "support/catch.hpp"

using namespace left4me;
using left4me::test::coop;
using left4me::test::plain;
using left4me::test::Repository;

namespace {

std::expected<Snapshot, SourceError> read(const Repository& repository, const Limits& limits = {}) {
    return ManifestRepository(repository.settings(), limits).read();
}

/// The error of reading, which must be of this kind.
std::string refused(const Repository& repository, SourceErrorKind error_kind, const Limits& limits = {}) {
    const auto snapshot = read(repository, limits);
    REQUIRE_FALSE(snapshot);
    CHECK(snapshot.error().error_kind == error_kind);
    CHECK(snapshot.error().message.ends_with('\n'));
    return snapshot.error().message;
}

/// A commit whose tree is this one object, created with git mktree, which does not check names.
std::string commit_tree(const Repository& repository, const std::string& lines) {
    const std::string tree = repository.git("mktree --missing", lines);
    const std::string commit = repository.git("commit-tree -m tree " + tree);
    repository.git("update-ref refs/heads/main " + commit);
    return commit;
}

}  // namespace

TEST_CASE("a branch is read without a checkout, in byte order of the paths") {
    const Repository repository;
    const std::string revision = repository.commit({{"b.yaml", {coop}},
                                                    {"a/z.yml", {plain}},
                                                    {"a.yaml", {plain}},
                                                    {"README.md", {"no manifest"}},
                                                    {".github/x.yaml", {"passed over"}}});
    const auto snapshot = read(repository);
    REQUIRE(snapshot);
    CHECK(snapshot->revision == revision);
    CHECK(snapshot->prefix == revision.substr(0, 12) + ":");
    CHECK(snapshot->author == "Alice <alice@example.org>");
    CHECK(snapshot->subject == "new servers");
    CHECK(snapshot->at == std::chrono::system_clock::from_time_t(1700000000));
    REQUIRE(snapshot->files.size() == 3);
    CHECK(snapshot->files[0].name == "a.yaml");
    CHECK(snapshot->files[1].name == "a/z.yml");
    CHECK(snapshot->files[2].name == "b.yaml");
    CHECK(snapshot->files[2].text == coop);
    CHECK(std::distance(std::filesystem::directory_iterator(repository.scratch().path()), {}) ==
          3);  // in, out, m.git
}

TEST_CASE("packed objects and packed references read the same") {
    const Repository repository;
    const std::string revision = repository.commit({{"a.yaml", {coop}}});
    repository.git("gc -q");
    repository.git("pack-refs --all");
    REQUIRE(read(repository));
    CHECK(read(repository)->revision == revision);
}

TEST_CASE("another branch and a directory within it can be the source") {
    const Repository repository;
    repository.commit({{"a.yaml", {coop}}});
    const std::string revision =
        repository.commit({{"hosts/eu/a.yaml", {plain}}, {"hosts/us/a.yaml", {coop}}}, "live/x");
    GitSettings settings = repository.settings();
    settings.branch = "live/x";
    settings.directory = "hosts/eu";
    ManifestRepository source(settings, {});
    const auto snapshot = source.read();
    REQUIRE(snapshot);
    CHECK(snapshot->revision == revision);
    REQUIRE(snapshot->files.size() == 1);
    CHECK(snapshot->files[0].name == "hosts/eu/a.yaml");
    CHECK(source.new_file("b.yaml") == "hosts/eu/b.yaml");

    settings.directory = "hosts/asia";
    const auto missing = ManifestRepository(settings, {}).read();
    REQUIRE_FALSE(missing);
    CHECK(missing.error().error_kind == SourceErrorKind::Vanished);
    CHECK(missing.error().message.starts_with(revision.substr(0, 12) + ":hosts/asia: is not there"));
}

TEST_CASE("a symlink is refused, and named") {
    const Repository repository;
    const std::string revision =
        repository.commit({{"a.yaml", {coop}}, {"s/link.yaml", {"../../../etc/shadow", "120000"}}});
    CHECK(refused(repository, SourceErrorKind::Invalid)
              .starts_with(revision.substr(0, 12) + ":s/link.yaml: is a symlink"));
}

TEST_CASE("a symlink in place of a directory is refused: its manifests would silently vanish") {
    const Repository repository;
    repository.commit({{"a.yaml", {coop}}, {"servers", {"elsewhere", "120000"}}});
    CHECK(refused(repository, SourceErrorKind::Invalid).find(":servers: is a symlink") != std::string::npos);
}

TEST_CASE("a submodule is refused, and named") {
    const Repository repository;
    const std::string some = repository.commit({{"a.yaml", {coop}}});
    repository.commit({{"a.yaml", {coop}}, {"shared", {some, "160000"}}});
    CHECK(refused(repository, SourceErrorKind::Invalid).find(":shared: is a submodule") != std::string::npos);
}

TEST_CASE("names that lead elsewhere or deceive are refused") {
    const Repository repository;
    const std::string blob = repository.git("hash-object -w --stdin", coop);
    const std::string inner = repository.git("mktree", "100644 blob " + blob + "\ta.yaml\n");
    std::string line;
    SECTION("the directory above") { line = "040000 tree " + inner + "\t..\n"; }
    SECTION("this directory") { line = "040000 tree " + inner + "\t.\n"; }
    SECTION("a control character") { line = "100644 blob " + blob + "\t\"a\\033[2J.yaml\"\n"; }
    SECTION("a newline") { line = "100644 blob " + blob + "\t\"a\\nb.yaml\"\n"; }
    SECTION("a separator of another system") { line = "100644 blob " + blob + "\t\"a\\\\b.yaml\"\n"; }
    commit_tree(repository, "100644 blob " + blob + "\ta.yaml\n" + line);
    const std::string said = refused(repository, SourceErrorKind::Invalid);
    CHECK(said.find("is not allowed") != std::string::npos);
    CHECK(said.find('\033') == std::string::npos);
}

TEST_CASE("a file above the limit is refused before its bytes are read") {
    const Repository repository;
    const std::string revision = repository.commit({{"a.yaml", {std::string(std::size_t{100} << 20U, '#')}}});
    const std::clock_t begun = std::clock();
    const std::string said = refused(repository, SourceErrorKind::Invalid);
    CHECK(std::clock() - begun < 1 * CLOCKS_PER_SEC);
    CHECK(said ==
          revision.substr(0, 12) + ":a.yaml: has 104857600 bytes, more than 1048576 (limits.fileBytes)\n");
}

TEST_CASE("too many files are refused") {
    const Repository repository;
    Repository::Files files;
    for (int i = 0; i < 10'001; ++i) files["s" + std::to_string(i) + ".yaml"] = {coop};
    repository.commit(files);
    CHECK(refused(repository, SourceErrorKind::Invalid).find("more than 10000 files (limits.documents)") !=
          std::string::npos);
}

TEST_CASE("all files together may not be larger than what one host can use") {
    const Repository repository;
    Repository::Files files;
    for (int i = 0; i < 70; ++i) files["s" + std::to_string(i) + ".yaml"] = {std::string(1U << 20U, '#')};
    repository.commit(files);
    CHECK(refused(repository, SourceErrorKind::Invalid).find("all manifests together") != std::string::npos);
}

TEST_CASE("a tree that contains itself is refused quickly, at a limit") {
    const Repository repository;
    const std::string blob = repository.git("hash-object -w --stdin", coop);
    std::string tree = repository.git("mktree", "100644 blob " + blob + "\ta.txt\n");
    const int levels = GENERATE(10, 40);
    for (int level = 0; level < levels; ++level) {
        std::string lines;
        for (int i = 0; i < 10; ++i) lines += "040000 tree " + tree + "\td" + std::to_string(i) + "\n";
        tree = repository.git("mktree", lines);
    }
    commit_tree(repository, "040000 tree " + tree + "\td\n");
    const std::clock_t begun = std::clock();
    const std::string said = refused(repository, SourceErrorKind::Invalid);
    CHECK((said.find("entries") != std::string::npos || said.find("deep") != std::string::npos));
    CHECK(std::clock() - begun < 5 * CLOCKS_PER_SEC);
}

TEST_CASE("a missing branch or directory is a vanished source, never an empty set of manifests") {
    const Repository repository;
    const std::string hint = GENERATE("empty", "no branch", "no manifest", "gone", "no repository");
    if (hint == "no branch") repository.commit({{"a.yaml", {coop}}}, "other");
    if (hint == "no manifest") repository.commit({{"README.md", {"soon"}}});
    if (hint == "gone") std::filesystem::remove_all(repository.path());
    if (hint == "no repository") {
        std::filesystem::remove_all(repository.path());
        std::filesystem::create_directory(repository.path());
    }
    INFO(hint);
    const std::string said = refused(repository, SourceErrorKind::Vanished);
    if (hint == "gone" || hint == "no repository") CHECK(said.find("l4d2ctl init-repo") != std::string::npos);
    const bool blank = hint == "empty" || hint == "no branch";
    CHECK(ManifestRepository(repository.settings(), {}).is_blank() == blank);
}

TEST_CASE("a damaged repository is a vanished source") {
    const Repository repository;
    repository.commit({{"a.yaml", {coop}}});
    repository.git("repack -adq");  // repacks whatever fast-import left as a pack
    const std::string kind = GENERATE("objects", "packs", "branch");
    INFO(kind);
    if (kind == "objects") {
        std::filesystem::remove_all(repository.path() / "objects");
        std::filesystem::create_directory(repository.path() / "objects");
    }
    if (kind == "packs") {
        for (const auto& pack : std::filesystem::directory_iterator(repository.path() / "objects/pack")) {
            std::filesystem::permissions(pack, std::filesystem::perms::owner_all);
            std::filesystem::resize_file(pack, std::filesystem::file_size(pack) / 2);
        }
    }
    if (kind == "branch") repository.scratch().write("m.git/refs/heads/main", "not an id\n");
    CHECK_FALSE(refused(repository, SourceErrorKind::Vanished).empty());
}

TEST_CASE("objects truncated by a power cut are an error, and reading them terminates") {
    const Repository repository;
    const std::string blob = repository.git("hash-object -w --stdin", std::string(3000, '#') + "\n" + coop);
    const std::string tree = repository.git("mktree", "100644 blob " + blob + "\ta.yaml\n");
    const std::string commit = repository.git("commit-tree -m x " + tree);
    repository.git("update-ref refs/heads/main " + commit);
    REQUIRE(read(repository));
    for (const std::string& object : {commit, tree, blob}) {
        const std::filesystem::path file =
            repository.path() / "objects" / object.substr(0, 2) / object.substr(2);
        const std::string name = "m.git/objects/" + object.substr(0, 2) + "/" + object.substr(2);
        const std::string whole = repository.scratch().read(name);
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        for (std::size_t size = 0; size < whole.size(); size += 1 + size / 8) {
            INFO(object << " " << size);
            repository.scratch().write(name, whole.substr(0, size));
            CHECK_FALSE(refused(repository, SourceErrorKind::Vanished).empty());
            ManifestRepository source(repository.settings(), {});
            CHECK((object != commit || !source.follows(std::string(40, '1'), commit)));
            CHECK_FALSE(source.read_revision(commit.substr(0, 8)));
        }
        repository.scratch().write(name, std::string(whole.size(), '\0'));
        CHECK_FALSE(refused(repository, SourceErrorKind::Vanished).empty());
        repository.scratch().write(name, whole);
        CHECK(read(repository));
    }
}

TEST_CASE("whatever is in place of the branch, reading it fails with an error that says what it is") {
    const Repository repository;
    const std::string commit = repository.commit({{"a.yaml", {coop}}});
    const std::filesystem::path branch = repository.path() / "refs/heads/main";
    const std::filesystem::path elsewhere = repository.scratch().write("elsewhere", commit + "\n");
    std::filesystem::remove(branch);
    std::string said;
    SECTION("a FIFO") {
        REQUIRE(::mkfifo(branch.c_str(), 0666) == 0);
        said = "is no regular file";
    }
    SECTION("a link to a whole reference") {
        std::filesystem::create_symlink(elsewhere, branch);
        said = "is a symbolic link";
    }
    SECTION("a directory") {
        std::filesystem::create_directory(branch);
        said = "is no regular file";
    }
    SECTION("a file of 100 GiB") {
        repository.scratch().write("m.git/refs/heads/main", "");
        std::filesystem::resize_file(branch, std::uintmax_t{100} << 30U);
        said = "has 107374182400 bytes";
    }
    SECTION("a symbolic reference") {
        repository.scratch().write("m.git/refs/heads/main", "ref: refs/heads/other\n");
        said = "is a symbolic reference";
    }
    SECTION("something else") {
        repository.scratch().write("m.git/refs/heads/main", commit.substr(1) + "\n");
        said = "does not name a commit";
    }
    CHECK(refused(repository, SourceErrorKind::Vanished).find("refs/heads/main: " + said) !=
          std::string::npos);
    ManifestRepository source(repository.settings(), {});
    CHECK_FALSE(source.is_blank());
    CHECK_FALSE(source.read_revision("main"));
    SourceChange change;
    change.base = commit;
    change.write["a.yaml"] = plain;
    const auto made = source.commit(change, {.name = "x", .email = "x@x", .message = "x"});
    REQUIRE_FALSE(made);
    CHECK(made.error().message.find(said) != std::string::npos);
    CHECK(repository.scratch().read("elsewhere") == commit + "\n");
    CHECK_FALSE(repository.scratch().has("m.git/refs/heads/main.lock"));
}

TEST_CASE("a loose object that was replaced is an error, and reading it terminates") {
    const Repository repository;
    const std::string blob = repository.git("hash-object -w --stdin", coop);
    const std::string other = repository.git("hash-object -w --stdin", plain);
    const std::string tree = repository.git("mktree", "100644 blob " + blob + "\ta.yaml\n");
    repository.git("update-ref refs/heads/main " + repository.git("commit-tree -m x " + tree));
    REQUIRE(read(repository));
    const auto file_of = [&repository](const std::string& id) {
        return repository.path() / "objects" / id.substr(0, 2) / id.substr(2);
    };
    const std::filesystem::path file = file_of(blob);
    std::filesystem::remove(file);
    SECTION("a FIFO") { REQUIRE(::mkfifo(file.c_str(), 0666) == 0); }
    SECTION("a link to another object") { std::filesystem::create_symlink(file_of(other), file); }
    SECTION("another object") { std::filesystem::copy_file(file_of(other), file); }
    SECTION("a directory") { std::filesystem::create_directory(file); }
    SECTION("100 GiB of nothing") {
        std::ofstream(file) << "";
        std::filesystem::resize_file(file, std::uintmax_t{100} << 30U);
    }
    CHECK(refused(repository, SourceErrorKind::Vanished).find("a.yaml: cannot be read") != std::string::npos);
}

TEST_CASE("other revisions are read by branch, id or short id") {
    const Repository repository;
    const std::string first = repository.commit({{"a.yaml", {coop}}});
    repository.commit({{"a.yaml", {plain}}});
    ManifestRepository source(repository.settings(), {});
    for (const std::string& name :
         {first, first.substr(0, 10), std::string("main~1"), std::string("HEAD^")}) {
        INFO(name);
        const auto snapshot = source.read_revision(name);
        REQUIRE(snapshot);
        CHECK(snapshot->files[0].text == coop);
    }
    CHECK_FALSE(source.read_revision("nonsense"));
    CHECK_FALSE(source.read_revision("--upload-pack"));
}

TEST_CASE("reading while others push shows one commit or the next, never a mixture") {
    const Repository repository;
    repository.commit({{"a.yaml", {"# 0\n" + coop}}, {"b.yaml", {"# 0\n" + plain}}});
    std::atomic<bool> done = false;
    std::set<std::string> seen;  // used by the other thread until it has ended
    std::thread reader([&] {
        const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
        while (!done) {
            const auto snapshot = read(repository);
            if (!snapshot) continue;
            const bool whole = first_line(snapshot->files[0].text) == first_line(snapshot->files[1].text);
            seen.insert(whole ? snapshot->revision : "mixed");
        }
    });
    for (int i = 1; i < 20; ++i) {
        const std::string mark = "# " + std::to_string(i) + "\n";
        repository.commit({{"a.yaml", {mark + coop}}, {"b.yaml", {mark + plain}}});
    }
    done = true;
    reader.join();
    CHECK_FALSE(seen.contains("mixed"));
    CHECK_FALSE(seen.empty());
}
