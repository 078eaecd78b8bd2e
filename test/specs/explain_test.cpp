#include "specs/explain.hpp"

#include "specs/fields.hpp"
#include "support/catch.hpp"

using left4me::explain;
using left4me::Field;

namespace {

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
    for (const Field& kind : left4me::kinds()) explain_all(kind, std::string(kind.name));
}

TEST_CASE("explain prints what a field takes, what it means and an example") {
    CHECK(explain("server.spec.port").value() ==
          "server.spec.port (number from 1024 to 65535, required)\n"
          "\n"
          "  The UDP port of the game and of its queries, and the TCP port of RCON. No\n"
          "  two servers may have the same, not even stopped ones.\n"
          "\n"
          "Example:\n"
          "  port: 27015\n");
    CHECK(explain("Servers.spec.state")
              .value()
              .starts_with("server.spec.state (Running or Stopped, default Running)\n"));
}

TEST_CASE("explain of a map lists its fields") {
    const std::string page = explain("blueprint.spec").value();
    CHECK(page.find("Fields:\n  overlays   list of names of Overlays\n  arguments  list of words\n") !=
          std::string::npos);
}

TEST_CASE("explain helps with a path that does not exist") {
    CHECK(explain("sever").error() == "there is no kind 'sever'; did you mean 'server'?");
    CHECK(explain("").error() == "there is no kind ''; there are server, blueprint, overlay");
    CHECK(explain("server.spec.prot").error() == "server.spec has no field 'prot'; did you mean 'port'?");
    CHECK(explain("server.spec.xyz").error() ==
          "server.spec has no field 'xyz'; there are blueprint, port, state, rollout, drift");
    CHECK(explain("server.spec.port.x").error() == "server.spec.port has no fields of its own");
    CHECK(explain("server.").error() == "server has no field ''; there are apiVersion, kind, metadata, spec");
}
