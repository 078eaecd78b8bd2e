#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "adapters/directory/source.hpp"
#include "adapters/source/bundle.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using left4me::test::Scratch;

namespace {

std::map<std::string, std::string> texts(const Scratch& scratch) {
    const auto snapshot = read_directory(scratch.path(), Limits{});
    REQUIRE(snapshot);
    std::map<std::string, std::string> result;
    for (const SourceFile& file : snapshot->files) {
        result[std::filesystem::path(file.name).lexically_relative(scratch.path()).string()] = file.text;
    }
    return result;
}

SourceChange change_of(const Scratch& scratch, const std::map<std::string, std::string>& written,
                       const std::string& removed) {
    SourceChange change;
    for (const auto& [name, text] : written) change.write[scratch.path() / name] = text;
    change.remove.insert(scratch.path() / removed);
    return change;
}

/// Leaves a change half done, like a kill: the directory of its second file does not exist yet.
void commit_half(const Scratch& scratch) {
    scratch.write("a.yaml", "a0");
    scratch.write("gone.yaml", "g0");
    const auto change = change_of(scratch, {{"a.yaml", "a1"}, {"sub/b.yaml", "b1"}}, "gone.yaml");
    REQUIRE_FALSE(commit(scratch.path(), change));
    REQUIRE(scratch.read("a.yaml") == "a1");
    REQUIRE(scratch.has("gone.yaml"));
}

}  // namespace

TEST_CASE("a change of several files is atomic and leaves no transaction log") {
    const Scratch scratch;
    scratch.write("a.yaml", "a0");
    scratch.write("b.yaml", "b0");
    const auto change = change_of(scratch, {{"a.yaml", "a1"}, {"c.yaml", "c1"}}, "b.yaml");
    REQUIRE(commit(scratch.path(), change));
    CHECK(texts(scratch) == std::map<std::string, std::string>{{"a.yaml", "a1"}, {"c.yaml", "c1"}});
    CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 2);
}

TEST_CASE("an interrupted change is read as complete, and completed by the next holder of the lock") {
    const Scratch scratch;
    commit_half(scratch);
    const std::map<std::string, std::string> whole{{"a.yaml", "a1"}, {"sub/b.yaml", "b1"}};
    CHECK(texts(scratch) == whole);

    std::filesystem::create_directory(scratch.path() / "sub");
    REQUIRE(finish_commit(scratch.path()));
    CHECK(texts(scratch) == whole);
    CHECK(scratch.read("sub/b.yaml") == "b1");
    CHECK_FALSE(scratch.has("gone.yaml"));
    CHECK_FALSE(scratch.has(".left4me-commit"));
}

TEST_CASE("a person's edit after an interrupted change is kept") {
    const Scratch scratch;
    commit_half(scratch);
    scratch.write("gone.yaml", "edited by hand");
    std::filesystem::create_directory(scratch.path() / "sub");
    REQUIRE(finish_commit(scratch.path()));
    CHECK(scratch.read("gone.yaml") == "edited by hand");
}

TEST_CASE("nothing is written outside of the source or through a link") {
    const Scratch scratch;
    const Scratch other;
    other.write("a.yaml", "theirs");
    std::filesystem::create_symlink(other.path() / "a.yaml", scratch.path() / "a.yaml");
    SourceChange change;
    SECTION("above it") { change.write[scratch.path() / ".." / "x.yaml"] = "x"; }
    SECTION("elsewhere") { change.write[other.path() / "a.yaml"] = "x"; }
    SECTION("through a link") { change.write[scratch.path() / "a.yaml"] = "x"; }
    SECTION("a link is not removed either") { change.remove.insert(scratch.path() / "a.yaml"); }
    CHECK_FALSE(commit(scratch.path(), change));
    CHECK(other.read("a.yaml") == "theirs");
    CHECK(scratch.has("a.yaml"));
}

TEST_CASE("killed at any instant, the source holds the old revision or the new one, never a mixture") {
    const Scratch scratch;
    std::map<std::string, std::string> expected_old;
    SourceChange forth;
    SourceChange back;
    for (int i = 0; i < 6; ++i) {
        const std::string name = "f" + std::to_string(i) + ".yaml";
        scratch.write(name, "old");
        back.write[scratch.path() / name] = "old";
        forth.write[scratch.path() / name] = "new";
    }
    std::set<std::string> seen;
    // On a slow machine most children die before they complete a change, so more of them are needed.
    for (int round = 0; round < 40 || (seen.size() < 2 && round < 2000); ++round) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            for (;;) {
                if (!commit(scratch.path(), forth) || !commit(scratch.path(), back)) ::_exit(1);
            }
        }
        std::this_thread::sleep_for(
            std::chrono::microseconds((500 + 397 * (round % 40)) * (1 + round / 200)));
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));

        std::set<std::string> contents;
        for (const auto& [name, text] : texts(scratch)) contents.insert(text);
        REQUIRE(contents.size() == 1);
        seen.insert(*contents.begin());
        REQUIRE(finish_commit(scratch.path()));
        contents.clear();
        for (int i = 0; i < 6; ++i) contents.insert(scratch.read("f" + std::to_string(i) + ".yaml"));
        REQUIRE(contents.size() == 1);
    }
    CHECK(seen == std::set<std::string>{"new", "old"});
}

TEST_CASE("a bundle holds any bytes, and a truncated one is refused") {
    const Bundle bundle{.title = "r1",
                        .entries = {{"a.yaml", "one\nend\n"}, {"b", ""}, {"c", std::string("\0\xff", 2)}}};
    const std::string text = write_bundle(bundle);
    const auto read = read_bundle(text);
    REQUIRE(read);
    CHECK(read->title == "r1");
    REQUIRE(read->entries.size() == 3);
    CHECK(read->entries[0].text == "one\nend\n");
    CHECK(read->entries[2].text == std::string("\0\xff", 2));
    for (std::size_t length = 0; length < text.size(); ++length) {
        CHECK_FALSE(read_bundle(std::string_view(text).substr(0, length)));
    }
}
