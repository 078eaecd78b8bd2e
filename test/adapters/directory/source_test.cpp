#include "adapters/directory/source.hpp"

#include <sys/stat.h>

#include "adapters/files.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using left4me::test::Scratch;

namespace {

std::vector<std::string> names(const Scratch& scratch) {
    std::vector<std::string> result;
    const auto snapshot = read_directory(scratch.path(), Limits{});
    REQUIRE(snapshot);
    for (const SourceFile& file : snapshot->files) {
        result.push_back(std::filesystem::path(file.name).lexically_relative(scratch.path()).string());
    }
    return result;
}

std::string error_of(const std::filesystem::path& directory, const Limits& limits = {}) {
    const auto snapshot = read_directory(directory, limits);
    REQUIRE_FALSE(snapshot);
    return snapshot.error();
}

}  // namespace

TEST_CASE("manifest files are read in byte order of their paths, and other files are ignored") {
    const Scratch scratch;
    for (const char* name : {"b.yaml", "a.yml", "Z.yaml", "sub/deep/c.yaml", "sub.yaml", ".hidden.yaml",
                             "a.yml~", ".a.yml.swp", "#a.yaml#", "README.md", ".git/config.yaml", "4913"}) {
        scratch.write(name, "# nothing\n");
    }
    CHECK(names(scratch) ==
          std::vector<std::string>{"Z.yaml", "a.yml", "b.yaml", "sub.yaml", "sub/deep/c.yaml"});
}

TEST_CASE("a source that has vanished is an error, never an empty revision") {
    const Scratch scratch;
    CHECK(error_of(scratch.path() / "missing").find("No such file") != std::string::npos);
    CHECK(error_of(scratch.path()).find("holds no manifest") != std::string::npos);
    scratch.write("notes.txt", "x");
    CHECK(error_of(scratch.path()).find("holds no manifest") != std::string::npos);
}

TEST_CASE("a file without documents is a valid empty source") {
    const Scratch scratch;
    scratch.write("empty.yaml", "# nothing is wanted here\n");
    CHECK(names(scratch) == std::vector<std::string>{"empty.yaml"});
}

TEST_CASE("links to files are followed, so that a whole set can be swapped atomically") {
    const Scratch scratch;
    scratch.write("..2026/a.yaml", "# one\n");
    std::filesystem::create_symlink("..2026", scratch.path() / "..data");
    std::filesystem::create_symlink("..data/a.yaml", scratch.path() / "a.yaml");
    const auto snapshot = read_directory(scratch.path(), Limits{});
    REQUIRE(snapshot);
    REQUIRE(snapshot->files.size() == 1);
    CHECK(snapshot->files[0].text == "# one\n");
}

TEST_CASE("a dangling link, or one to a directory, is an error: part of the source would be missing") {
    const Scratch scratch;
    scratch.write("a.yaml", "# one\n");
    SECTION("nowhere") {
        std::filesystem::create_symlink("gone.yaml", scratch.path() / "b.yaml");
        CHECK(error_of(scratch.path()).find("b.yaml: No such file") != std::string::npos);
    }
    SECTION("to a directory, even one above") {
        std::filesystem::create_symlink("..", scratch.path() / "more");
        CHECK(error_of(scratch.path()).find("not followed") != std::string::npos);
    }
}

TEST_CASE("anything other than a plain file is refused without blocking") {
    const Scratch scratch;
    REQUIRE(::mkfifo((scratch.path() / "a.yaml").c_str(), 0600) == 0);
    CHECK(error_of(scratch.path()).find("not a plain file") != std::string::npos);
}

TEST_CASE("a file above the limit is an error that names the limit") {
    const Scratch scratch;
    scratch.write("a.yaml", std::string(2000, '#'));
    CHECK(error_of(scratch.path(), Limits{.file_bytes = 1999, .source = {}}).find("limits.fileBytes") !=
          std::string::npos);
    CHECK(read_directory(scratch.path(), Limits{.file_bytes = 2000, .source = {}}));
}

TEST_CASE("more files than documents are allowed are not even read") {
    const Scratch scratch;
    for (const char* name : {"a.yaml", "b.yaml", "c.yaml"}) scratch.write(name, "#");
    CHECK(error_of(scratch.path(), Limits{.documents = 2, .source = {}}).find("limits.documents") !=
          std::string::npos);
}

TEST_CASE("a directory's revision depends on names and texts only, not on its path") {
    const Scratch one;
    const Scratch two;
    for (const Scratch* scratch : {&one, &two}) {
        scratch->write("a.yaml", "# a");
        scratch->write("sub/b.yaml", "# b");
    }
    const auto first = read_directory(one.path(), Limits{});
    const auto second = read_directory(two.path(), Limits{});
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->revision == second->revision);
    CHECK(first->revision.size() == 16);

    // The same bytes, split differently, are another revision.
    two.write("a.yaml", "# a#");
    two.write("sub/b.yaml", " b");
    CHECK(read_directory(two.path(), Limits{})->revision != first->revision);
}

TEST_CASE("a written file keeps its mode and leaves no temporary file") {
    const Scratch scratch;
    const auto path = scratch.write("a.yaml", "old");
    REQUIRE(::chmod(path.c_str(), 0640) == 0);
    REQUIRE(write_file(path, "new"));
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0640);
    CHECK(scratch.read("a.yaml") == "new");
    CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
    CHECK_FALSE(write_file(scratch.path() / "missing" / "b.yaml", "x"));
}
