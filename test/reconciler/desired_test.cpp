#include "reconciler/desired.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "reconciler/target.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

ManifestSet manifests(std::vector<std::string> arguments, std::string config = {}) {
    ManifestSet set;
    set.overlays["maps"].source = InlineSource{{{"a", "b"}}};
    Blueprint& blueprint = set.blueprints["competitive"];
    blueprint.overlays = {"maps"};
    blueprint.arguments = std::move(arguments);
    blueprint.config = std::move(config);
    Server& server = set.servers["comp1"];
    server.metadata.name = "comp1";
    server.blueprint = "competitive";
    server.port = 27015;
    server.rollout.policy = RolloutPolicy::WhenEmpty;
    return set;
}

std::string environment(std::vector<std::string> arguments) {
    return make_desired(manifests(std::move(arguments)), "r1").servers.at("comp1").environment;
}

/// A POSIX shell's reading of it: one line per word.
std::string as_a_shell_reads(const std::string& text) {
    const auto file = std::filesystem::temp_directory_path() / ("left4me-env-" + std::to_string(::rand()));
    std::ofstream(file) << text << "printf '<%s>' \"$L4D2_NAME\" \"$L4D2_PORT\" \"$@\"\n";
    const std::string command = "sh " + file.string();
    std::string output;
    {
        const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
        std::array<char, 256> buffer{};
        while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe.get())) {
            output.append(buffer.data(), size);
        }
    }
    std::filesystem::remove(file);
    return output;
}

}  // namespace

TEST_CASE("a desired server is its manifest with its blueprint merged in") {
    const Desired desired =
        make_desired(manifests({"-tickrate", "100"}, "hostname ${name}\nrcon ${secret:rcon}"), "r7");
    CHECK(desired.revision == "r7");
    CHECK(desired.overlays.contains("maps"));
    const DesiredServer& server = desired.servers.at("comp1");
    CHECK(server.name == "comp1");
    CHECK(server.port == 27015);
    CHECK(server.overlays == std::vector<std::string>{"maps"});
    CHECK(server.rollout.policy == RolloutPolicy::WhenEmpty);
    CHECK(server.config == "hostname comp1\nrcon ${secret:rcon}");
}

TEST_CASE("server.env holds name, port and arguments") {
    CHECK(environment({"-tickrate", "100", "+map", "c1m1_hotel"}) ==
          "L4D2_NAME=comp1\nL4D2_PORT=27015\nset -- -tickrate 100 +map c1m1_hotel\n");
    CHECK(environment({"+hostname", "${name} on ${port}"}) ==
          "L4D2_NAME=comp1\nL4D2_PORT=27015\nset -- +hostname 'comp1 on 27015'\n");
    CHECK(environment({}) == "L4D2_NAME=comp1\nL4D2_PORT=27015\nset --\n");
}

TEST_CASE("a shell reads exactly the words of the manifest, whatever they contain") {
    CHECK(as_a_shell_reads(environment({"a b", "", "it's", "$(touch /tmp/x)", "`id`", "\\", "a\nb", "*", "~",
                                        "#", "ü", "\"", "-n", "a;b&c|d>e", "'", "x=y", "$HOME"})) ==
          "<comp1><27015><a b><><it's><$(touch "
          "/tmp/x)><`id`><\\><a\nb><*><~><#><ü><\"><-n><a;b&c|d>e><'><x=y><$HOME>");
}

TEST_CASE("the configs of overlays run before the blueprint's own, in the order of executeConfigs") {
    ManifestSet set = manifests({}, "hostname ${name}\n");
    set.blueprints.at("competitive").execute_configs = {"tickrate", "maps"};
    const DesiredServer server = make_desired(set, "r1").servers.at("comp1");
    CHECK(server.config == "exec server_tickrate.cfg\nexec server_maps.cfg\nhostname comp1\n");
    CHECK(executed_config_path("maps") == "left4dead2/cfg/server_maps.cfg");
}

TEST_CASE("a server that runs no config of an overlay has the digest that version 0.1 gave it") {
    Desired desired = make_desired(manifests({"-tickrate", "100"}, "hostname ${name}\n"), "r1");
    Inputs inputs;
    inputs.overlays["maps"].artifact = "0123456789abcdef";
    const Target target = resolve(std::make_shared<const Desired>(desired), inputs);
    const auto& rendering = target.servers.at("comp1").rendering;
    REQUIRE(rendering);
    CHECK((*rendering)->digest() == "148f74452abe4374");
    CHECK((*rendering)->executed().empty());
}

TEST_CASE("a config of an overlay is in the rendering, and without it there is none") {
    ManifestSet set = manifests({});
    set.blueprints.at("competitive").execute_configs = {"maps"};
    const auto desired = std::make_shared<const Desired>(make_desired(set, "r1"));
    Inputs inputs;
    OverlayInput& maps = inputs.overlays["maps"];
    maps.artifact = "0123456789abcdef";
    CHECK(resolve(desired, inputs).servers.at("comp1").rendering.error().message ==
          "overlay maps: its config was not read");
    maps.config = std::unexpected(InputError{InputErrorKind::Source, "there is no such file"});
    CHECK(resolve(desired, inputs).servers.at("comp1").rendering.error() ==
          InputError{InputErrorKind::Source, "overlay maps: there is no such file"});
    maps.config = std::make_shared<const std::string>("fps_max 0\n");
    const Target target = resolve(desired, inputs);
    REQUIRE(target.servers.at("comp1").rendering);
    CHECK(*(*target.servers.at("comp1").rendering)->executed().at(0) == "fps_max 0\n");
}

TEST_CASE("a config that is run from an overlay and the same line written by hand are two renderings") {
    const auto rendered = [](const std::vector<std::string>& executed, const std::string& config) {
        ManifestSet set = manifests({}, config);
        set.blueprints.at("competitive").execute_configs = executed;
        Inputs inputs;
        OverlayInput& maps = inputs.overlays["maps"];
        maps.artifact = "0123456789abcdef";
        maps.config = std::make_shared<const std::string>("fps_max 0\n");
        return *resolve(std::make_shared<const Desired>(make_desired(set, "r1")), inputs)
                    .servers.at("comp1")
                    .rendering;
    };
    const auto run = rendered({"maps"}, "hostname x\n");
    const auto by_hand = rendered({}, "exec server_maps.cfg\nhostname x\n");
    CHECK(run->config() == by_hand->config());
    CHECK(run->digest() != by_hand->digest());
}

TEST_CASE("a fingerprint changes with every part of the specification") {
    const DesiredServer server = make_desired(manifests({"-x"}, "c"), "r1").servers.at("comp1");
    const std::string wanted = "aaaa";
    const std::string before = fingerprint(server, wanted);
    CHECK(before.size() == 16);
    CHECK(fingerprint(server, wanted) == before);
    CHECK(fingerprint(server, "bbbb") != before);
    const auto changed = [&](auto change) {
        DesiredServer other = server;
        change(other);
        return fingerprint(other, wanted) != before;
    };
    CHECK(changed([](DesiredServer& s) { s.port = 1; }));
    CHECK(changed([](DesiredServer& s) { s.state = RunState::Stopped; }));
    CHECK(changed([](DesiredServer& s) { s.rollout.policy = RolloutPolicy::Immediate; }));
    CHECK(changed([](DesiredServer& s) { s.rollout.deadline = std::chrono::seconds(0); }));
    CHECK(changed([](DesiredServer& s) { s.drift = DriftPolicy::Report; }));
    CHECK(changed([](DesiredServer& s) { s.blueprint = "other"; }));
    CHECK(changed([](DesiredServer& s) { s.overlays.clear(); }));
    CHECK(changed([](DesiredServer& s) { s.environment += "x"; }));
    CHECK(changed([](DesiredServer& s) { s.config += "x"; }));
}
