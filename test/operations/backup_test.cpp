// What a backup refuses before it packs anything; the rest is in test/backup and on test hosts.
#include "operations/backup.hpp"

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;

TEST_CASE("a manifest that would be missing from a backup is an error") {
    const test::Scratch scratch;
    Context context;
    context.paths.state = scratch.path() / "state";
    context.paths.run = scratch.path() / "run";
    context.paths.mountinfo = scratch.write("mountinfo", "");
    context.config.source_directory = scratch.path() / "source";
    scratch.write("run/.keep", "");
    scratch.write("elsewhere/a.yaml", "");
    scratch.write("real/inside.txt", "");
    // The directory of manifests may itself be a link.
    std::filesystem::create_directory_symlink("real", scratch.path() / "source");
    std::filesystem::create_symlink("inside.txt", scratch.path() / "real/same.yaml");
    std::filesystem::create_symlink("../elsewhere/a.yaml", scratch.path() / "real/a.yaml");
    const auto made = back_up(context, {}, -1);
    REQUIRE_FALSE(made);
    CHECK(made.error().message.starts_with((scratch.path() / "real/a.yaml").string() + " is a link"));
}
