#include "adapters/cgroups/usage.hpp"

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

struct Group {
    Group() {
        paths.cgroups = scratch.path();
        std::filesystem::create_directories(directory());
    }
    std::filesystem::path directory() const {
        return scratch.path() / "left4me.slice/left4me-game.slice/left4me-server@comp1.service";
    }
    void write(const char* name, const char* text) const { std::ofstream(directory() / name) << text; }

    test::Scratch scratch;
    Paths paths;
};

}  // namespace

TEST_CASE("a server's usage is what the kernel counts for its unit") {
    const Group group;
    group.write("cpu.stat", "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n");
    group.write("memory.current", "8192\n");
    const auto usage = cgroups::read_usage(group.paths, "left4me-server@comp1.service");
    CHECK(usage.cpu == 1234567us);
    CHECK(usage.memory_bytes == 8192);
}

TEST_CASE("what the kernel does not count of a server is unknown") {
    const Group group;
    SECTION("it does not run") { std::filesystem::remove(group.directory()); }
    SECTION("no controller") {}
    SECTION("nonsense") {
        group.write("cpu.stat", "usage_usec many\n");
        group.write("memory.current", "-1\n");
    }
    const auto usage = cgroups::read_usage(group.paths, "left4me-server@comp1.service");
    CHECK_FALSE(usage.cpu);
    CHECK_FALSE(usage.memory_bytes);
}
