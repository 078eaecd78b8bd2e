#include "adapters/sources/manifests.hpp"

#include <filesystem>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;

namespace {

constexpr const char* good = R"(
apiVersion: left4me/v1
kind: Blueprint
metadata: {name: plain}
spec: {arguments: [+map, c1m1_hotel]}
---
apiVersion: left4me/v1
kind: Server
metadata: {name: alpha}
spec: {blueprint: plain, port: 27015}
)";

struct Site {
    left4me::test::Scratch scratch;
    Paths paths;
    Config config;

    Site() {
        paths.state = scratch.path() / "var";
        paths.config = scratch.path() / "etc";
        std::filesystem::create_directories(paths.status());
        config.source_directory = scratch.path() / "manifests";
        std::filesystem::create_directories(config.source_directory);
    }
    void write(const std::string& text) const { scratch.write("manifests/all.yaml", text); }
};

}  // namespace

TEST_CASE("unchanged manifests are not parsed again", "[manifests]") {
    const Site site;
    site.write(good);
    Manifests manifests(site.paths, site.config);
    manifests.read();
    const auto first = manifests.desired();
    REQUIRE(first);
    CHECK(first->servers.contains("alpha"));
    manifests.read();
    CHECK(manifests.desired() == first);
}

TEST_CASE("an invalid revision leaves the followed one in place, and fixing it clears the error",
          "[manifests]") {
    const Site site;
    site.write(good);
    Manifests manifests(site.paths, site.config);
    manifests.read();
    const std::string revision = manifests.desired()->revision;
    site.write("kind: Sever\n");
    manifests.read();
    CHECK(manifests.error().find("all.yaml:1:") != std::string::npos);
    REQUIRE(manifests.desired());
    CHECK(manifests.desired()->revision == revision);
    site.write(good);
    manifests.read();
    CHECK(manifests.error().empty());
}

TEST_CASE("a vanished source leaves the followed revision in place", "[manifests]") {
    const Site site;
    site.write(good);
    Manifests manifests(site.paths, site.config);
    manifests.read();
    std::filesystem::remove_all(site.config.source_directory);
    manifests.read();
    CHECK_FALSE(manifests.error().empty());
    REQUIRE(manifests.desired());
    CHECK(manifests.desired()->servers.contains("alpha"));
}

TEST_CASE("A daemon that starts while the source is broken follows the last good revision", "[manifests]") {
    const Site site;
    site.write(good);
    Manifests(site.paths, site.config).read();
    site.write("{");
    Manifests manifests(site.paths, site.config);
    manifests.read();
    REQUIRE(manifests.desired());
    CHECK(manifests.desired()->servers.contains("alpha"));
    CHECK_FALSE(manifests.error().empty());
}

TEST_CASE("without any revision, nothing is desired", "[manifests]") {
    const Site site;
    Manifests manifests(site.paths, site.config);
    manifests.read();
    CHECK(manifests.desired() == nullptr);
    CHECK_FALSE(manifests.error().empty());
}
