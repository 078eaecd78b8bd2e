// Specs of version 1, one file per server, become manifests.
#include "specs/instance_spec.hpp"

#include "support/catch.hpp"

using namespace left4me;

namespace {

std::string converted(const std::string& text) {
    const auto manifests = convert_instance_spec("comp1", {"comp1.yaml", text});
    REQUIRE(manifests);
    return *manifests;
}

std::string refused(const std::string& text) {
    const auto manifests = convert_instance_spec("comp1", {"comp1.yaml", text});
    REQUIRE_FALSE(manifests);
    return to_string(manifests.error());
}

/// The set that the converted manifests are, with the overlays that they name.
ManifestSet loaded(const std::string& spec) {
    std::vector<SourceFile> files{{"converted.yaml", converted(spec)}};
    for (const char* const overlay : {"rates", "maps"})
        files.push_back({std::string(overlay) + ".yaml",
                         std::string("apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: ") + overlay +
                             "}\nspec: {source: {inline: {files: {left4dead2/cfg/a.cfg: x}}}}\n"});
    const auto set = load(files);
    INFO((set ? std::string() : to_string(set.error())));
    REQUIRE(set);
    return *set;
}

}  // namespace

TEST_CASE("a spec of version 1 becomes a Blueprint and a stopped Server") {
    const ManifestSet set = loaded(
        "port: 27015\noverlays: [rates, maps]\narguments: ['+map', \"c1m1_hotel\", -tickrate, 100]\n"
        "config: |\n  hostname \"${name}\"\n\n    sv_consistency 1\n");
    const Blueprint& blueprint = set.blueprints.at("comp1");
    CHECK(blueprint.overlays == std::vector<std::string>{"rates", "maps"});
    CHECK(blueprint.arguments == std::vector<std::string>{"+map", "c1m1_hotel", "-tickrate", "100"});
    CHECK(blueprint.config == "hostname \"${name}\"\n\n  sv_consistency 1\n");
    const Server& server = set.servers.at("comp1");
    CHECK(server.blueprint == "comp1");
    CHECK(server.port == 27015);
    CHECK(server.state == RunState::Stopped);
}

TEST_CASE("the config of a spec may be a list of lines, also of odd ones") {
    CHECK(loaded("port: 27015\nconfig: ['  say \"hi\"', 'say \\\\o/ # : ${name}', '', 'exec a.cfg']\n")
              .blueprints.at("comp1")
              .config == "  say \"hi\"\nsay \\\\o/ # : ${name}\n\nexec a.cfg\n");
}

TEST_CASE("a spec with a port only is enough") {
    const ManifestSet set = loaded("port: 27016\n");
    CHECK(set.servers.at("comp1").port == 27016);
    CHECK(set.blueprints.at("comp1").config.empty());
}

TEST_CASE("what is wrong with a spec is said with its place, all at once") {
    CHECK(
        refused("prot: 1\narguments: +map\noverlays: [[a]]\n") ==
        "comp1.yaml:1:1: a spec needs a port; write e.g. `port: 27015`\n"
        "comp1.yaml:1:1: unknown field 'prot'; did you mean 'port'? (a spec has port, overlays, arguments or "
        "config)\n"
        "comp1.yaml:2:12: `arguments` must be a list\n"
        "comp1.yaml:3:12: an item of `overlays` must be one line of text\n");
    CHECK(refused("- 1\n").find("a spec is a map") != std::string::npos);
    CHECK(refused("a: [\n").find("comp1.yaml:") == 0);
    CHECK(refused("").find("comp1.yaml:") == 0);
    CHECK(refused("port: 27015\nport: 27016\n").find("comp1.yaml:2:1") == 0);
}

TEST_CASE("what the old platform wrote for a server becomes a spec", "[instance-spec]") {
    OldInstance old{
        .environment =
            "# host\nL4D2_PORT=27015\nL4D2_ARGS=+ip 0.0.0.0 -norestart +map c1m1_hotel  -maxplayers 8\n"
            "L4D2_LOWERDIRS=/state/overlays/3:/state/overlays/7:/state/installation\n",
        .config = "hostname \"one\"\r\n// \\\n",
        .state = "/state",
        .overlays = {}};
    const auto spec = spec_of("comp1", old);
    REQUIRE(spec);
    CHECK(old.overlays == std::vector<std::string>{"3", "7"});
    const auto manifests = convert_instance_spec("comp1", *spec, RunState::Running);
    REQUIRE(manifests);
    CHECK(*manifests ==
          "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: comp1}\nspec:\n"
          "  overlays: [\"old-3\", \"old-7\"]\n  arguments: [\"+map\", \"c1m1_hotel\", \"-maxplayers\", "
          "\"8\"]\n"
          "  config: |2\n    hostname \"one\"\n    // \\\n---\n"
          "apiVersion: left4me/v1\nkind: Server\nmetadata: {name: comp1}\n"
          "spec: {blueprint: comp1, port: 27015, state: Running}\n");
}

TEST_CASE("what of the old platform cannot be converted is named", "[instance-spec]") {
    const auto why = [](const std::string& environment) {
        OldInstance old{.environment = environment, .config = {}, .state = "/state", .overlays = {}};
        const auto spec = spec_of("comp1", old);
        return spec ? std::string() : spec.error();
    };
    const std::string layers = "L4D2_LOWERDIRS=/state/installation\n";
    CHECK(why("L4D2_PORT=1\n" + layers) == "");
    CHECK(why(layers) == "instance.env has no L4D2_PORT or no L4D2_LOWERDIRS");
    CHECK(why("L4D2_PORT=1\nL4D2_ARGS=+hostname \"a b\"\n" + layers) ==
          "L4D2_ARGS has quotes; remove them, or write its Blueprint by hand");
    CHECK(why("L4D2_PORT=1\nL4D2_LOWERDIRS=/etc:/state/installation\n") ==
          "'/etc' is no overlay that can be converted");
    CHECK(why("L4D2_PORT=1\nL4D2_LOWERDIRS=/state/overlays/../../etc\n") ==
          "'/state/overlays/../../etc' is no overlay that can be converted");
}
