#include "adapters/config/config.hpp"

#include "support/catch.hpp"

using namespace left4me;

namespace {

std::string errors(const std::string& text) {
    const auto config = parse_config("config.yaml", text);
    REQUIRE_FALSE(config);
    return to_string(config.error());
}

}  // namespace

TEST_CASE("every setting is optional") {
    for (const char* text : {"", "# only comments\n", "source:\n", "source: {}\nlimits: {}\n", "---\n"}) {
        INFO(text);
        const auto config = parse_config("config.yaml", text);
        REQUIRE(config);
        CHECK(config->source_directory == "/etc/left4me/manifests");
        CHECK(config->limits.file_bytes == Limits{}.file_bytes);
    }
}

TEST_CASE("settings are taken as they are written") {
    const auto config = parse_config("config.yaml",
                                     "source:\n  directory: /srv/manifests/\n"
                                     "limits:\n  fileBytes: 2048\n  documents: 7\n  depth: 9\n");
    REQUIRE(config);
    CHECK(config->source_directory == "/srv/manifests");
    CHECK(config->limits.file_bytes == 2048);
    CHECK(config->limits.documents == 7);
    CHECK(config->limits.depth == 9);
}

TEST_CASE("a mistake is told with its place, all of them at once") {
    CHECK(errors("sorce:\n  directory: /x\nlimits:\n  depth: deep\n  documents: -1\n") ==
          "config.yaml:1:1: unknown setting 'sorce'; did you mean 'source'?\n"
          "config.yaml:4:10: must be a whole number from 8 to 1000\n"
          "config.yaml:5:14: must be a whole number from 1 to 1000000\n");
    CHECK(errors("source:\n  directory: manifests\n") ==
          "config.yaml:2:14: must be the absolute path of a directory\n");
    CHECK(errors("- a\n") == "config.yaml:1:1: the configuration must be a map of settings\n");
    CHECK(errors("limits: {depth: 9, depth: 10}\n") == "config.yaml:1:20: 'depth' is set twice\n");
    CHECK(errors("source: {}\n---\nsource: {}\n").find("one document") != std::string::npos);
    CHECK(errors("source: [\n").starts_with("config.yaml:"));
}
