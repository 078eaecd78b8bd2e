#include "specs/explain.hpp"

#include "adapters/config/table.hpp"
#include "specs/fields.hpp"
#include "support/catch.hpp"

using left4me::Field;

namespace {

std::expected<std::string, std::string> explain(std::string_view path) {
    return left4me::explain(path, left4me::config_table());
}

void explain_all(const Field& field, const std::string& path) {
    INFO(path);
    const auto page = explain(path);
    REQUIRE(page);
    CHECK(page->find(path.substr(1)) != std::string::npos);
    CHECK_FALSE(field.documentation.empty());
    if (field.type != left4me::Type::Map && field.type != left4me::Type::Choice) return;
    for (const Field& child : field.children) explain_all(child, path + "." + std::string(child.name));
}

}  // namespace

TEST_CASE("explain knows every field of the table") {
    for (const left4me::KindEntry& kind : left4me::kinds())
        explain_all(kind.object, std::string(kind.object.name));
    explain_all(left4me::config_table(), "config");
}

TEST_CASE("explain prints what a field takes, what it means and an example") {
    CHECK(explain("server.spec.port").value() ==
          "server.spec.port (number from 1024 to 65535, required)\n"
          "\n"
          "  The UDP port of the game and of its queries, and the TCP port of RCON.\n"
          "  Unique among all servers, including stopped ones.\n"
          "\n"
          "Example:\n"
          "  port: 27015\n");
    CHECK(explain("Servers.spec.state")
              .value()
              .starts_with("server.spec.state (Running or Stopped, default Running)\n"));
}

TEST_CASE("explain prints what a setting takes, and its default") {
    CHECK(explain("config.limits.overlayBytes").value() ==
          "config.limits.overlayBytes (size from 1Mi to 1Pi, default 256Gi)\n"
          "\n"
          "  Maximum number of bytes in the directory of one overlay. Holes of sparse\n"
          "  files do not count.\n"
          "\n"
          "  Write a number of bytes, or one with Ki, Mi, Gi, Ti or Pi: 1048576, 512Mi or\n"
          "  2Gi.\n"
          "\n"
          "Example:\n"
          "  overlayBytes: 32Gi\n");
    CHECK(explain("config.source.gitt").error() == "config.source has no field 'gitt'; did you mean 'git'?");
}

TEST_CASE("explain of a map lists its fields") {
    const std::string page = explain("blueprint.spec").value();
    CHECK(page.find("Fields:\n  installation    name of an Installation\n"
                    "  overlays        list of names of Overlays\n"
                    "  executeConfigs  list of names of Overlays\n"
                    "  arguments       list of words\n") != std::string::npos);
}

TEST_CASE("explain helps with a path that does not exist") {
    CHECK(explain("sever").error() == "there is no kind 'sever'; did you mean 'server'?");
    CHECK(explain("").error() ==
          "there is no kind ''; there are server, blueprint, overlay, installation, host, config");
    CHECK(explain("server.spec.prot").error() == "server.spec has no field 'prot'; did you mean 'port'?");
    CHECK(explain("server.spec.xyz").error() ==
          "server.spec has no field 'xyz'; there are blueprint, port, state, rollout, drift");
    CHECK(explain("server.spec.port.x").error() == "server.spec.port has no fields of its own");
    CHECK(explain("server.").error() == "server has no field ''; there are apiVersion, kind, metadata, spec");
}
