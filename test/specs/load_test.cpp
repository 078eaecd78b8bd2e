#include "specs/load.hpp"

#include <fmt/format.h>

#include <vector>

#include "reconciler/desired.hpp"
#include "specs/fields.hpp"
#include "specs/writable.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

const std::string overlay = R"(apiVersion: left4me/v1
kind: Overlay
metadata: {name: tickrate}
spec:
  source: {directory: /srv/tickrate}
)";
const std::string blueprint = R"(apiVersion: left4me/v1
kind: Blueprint
metadata: {name: competitive}
spec:
  overlays: [tickrate]
  arguments: ["-tickrate", 100, +map, c1m1_hotel]
  config: |
    hostname "${name}"
)";
const std::string server = R"(apiVersion: left4me/v1
kind: Server
metadata: {name: comp1, labels: {pool: competitive, tier: 1}}
spec:
  blueprint: competitive
  port: 27015
)";

ManifestSet load_valid(std::vector<SourceFile> files) {
    auto set = load(files);
    if (!set) FAIL(to_string(set.error()));
    return *std::move(set);
}

std::string load_invalid(std::vector<SourceFile> files, const Limits& limits = {}) {
    const auto set = load(files, limits);
    REQUIRE_FALSE(set);
    return to_string(set.error());
}

}  // namespace

TEST_CASE("a whole revision in one file is read with its defaults") {
    const ManifestSet set = load_valid({{"a.yaml", overlay + "---\n" + blueprint + "---\n" + server}});
    const Server& comp1 = set.servers.at("comp1");
    CHECK(comp1.blueprint == "competitive");
    CHECK(comp1.port == 27015);
    CHECK(comp1.state == RunState::Running);
    CHECK(comp1.rollout == Rollout{});
    CHECK(comp1.drift == DriftPolicy::Correct);
    CHECK(comp1.metadata.labels ==
          std::map<std::string, std::string>{{"pool", "competitive"}, {"tier", "1"}});
    CHECK(set.blueprints.at("competitive").overlays == std::vector<std::string>{"tickrate"});
    CHECK(set.blueprints.at("competitive").arguments ==
          std::vector<std::string>{"-tickrate", "100", "+map", "c1m1_hotel"});
    CHECK(set.blueprints.at("competitive").config == "hostname \"${name}\"\n");
    CHECK(set.overlays.at("tickrate").source == OverlaySource(DirectorySource{"/srv/tickrate", "/", {}}));
}

TEST_CASE("every field that differs from its default is read") {
    const ManifestSet set = load_valid(
        {{"a.yaml",
          overlay + "---\n" + blueprint + "---\n" + server +
              "  state: Stopped\n  drift: Report\n  rollout: {policy: WhenEmpty, deadline: 90s}\n"}});
    const Server& comp1 = set.servers.at("comp1");
    CHECK(comp1.state == RunState::Stopped);
    CHECK(comp1.drift == DriftPolicy::Report);
    CHECK(comp1.rollout == Rollout{RolloutPolicy::WhenEmpty, std::chrono::seconds(90)});
}

TEST_CASE("the table names the very default of what a game may keep, and an empty list keeps nothing") {
    const Field* spec = find_child(entry_of(Kind::Blueprint).object, "spec");
    std::string listed;
    for (const std::string_view pattern : default_writable)
        listed += fmt::format("{}{}", listed.empty() ? "" : ", ", pattern);
    CHECK(find_child(*spec, "writable")->default_value == "[" + listed + "]");

    const auto written = [](const std::string& more) {
        const ManifestSet set =
            load_valid({{"a.yaml", overlay + "---\n" + blueprint + more + "---\n" + server}});
        return make_desired(set, "r").servers.at("comp1").writable;
    };
    CHECK_FALSE(written(""));
    CHECK_FALSE(written(fmt::format("  writable: [{}]\n", listed)));
    CHECK(written("  writable: []\n") == "");
    CHECK(written("  writable: [left4dead2/logs, \"left4dead2/*.dem\"]\n") ==
          "left4dead2/logs\nleft4dead2/*.dem\n");
}

TEST_CASE("an object knows its file, line and document") {
    const ManifestSet set =
        load_valid({{"a.yaml", "# head\n---\n" + overlay + "---\n" + blueprint}, {"b.yaml", server}});
    CHECK(set.overlays.at("tickrate").origin.where == Location{"a.yaml", 3, 1});
    CHECK(set.overlays.at("tickrate").origin.document == 1);
    CHECK(set.blueprints.at("competitive").origin.where == Location{"a.yaml", 9, 1});
    CHECK(set.blueprints.at("competitive").origin.document == 2);
    CHECK(set.servers.at("comp1").origin.where == Location{"b.yaml", 1, 1});
}

TEST_CASE("no file, a file without documents and blank documents give an empty set") {
    CHECK(load_valid({}).servers.empty());
    CHECK(load_valid({{"a.yaml", ""}}).servers.empty());
    CHECK(load_valid({{"a.yaml", "# nothing\n---\n---\n\n--- # nothing either\n...\n"}}).servers.empty());
}

TEST_CASE("a byte order mark and Windows line ends change nothing") {
    std::string text = "\xEF\xBB\xBF" + overlay + "---\n" + blueprint;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
        text.replace(at, 1, "\r\n");
    const ManifestSet set = load_valid({{"a.yaml", text}});
    CHECK(set.blueprints.at("competitive").config == "hostname \"${name}\"\n");
    CHECK(set.overlays.at("tickrate").origin.where == Location{"a.yaml", 1, 1});
}

TEST_CASE("a document that cannot be read hides neither its neighbours' errors nor its own name") {
    const std::string broken = "kind: Blueprint\nmetadata: {name: competitive\n";
    CHECK(load_invalid({{"a.yaml", broken + "---\n" + server + "  sate: Running\n"}}) ==
          "a.yaml:3:1: a `{` is not closed; a `}` or a comma is missing before this place\n"
          "a.yaml:10:3: spec: unknown field 'sate'; did you mean 'state'?\n");
}

TEST_CASE("errors about limits say what to do") {
    CHECK(load_invalid({{"a.yaml", overlay}}, {.file_bytes = 10, .source = {}}) ==
          "a.yaml: the file has 107 bytes; at most 10 are allowed; split it\n");
    const std::string many = overlay + "---\n" + overlay + "---\n" + overlay;
    CHECK(load_invalid({{"a.yaml", many}}, {.documents = 1, .source = {}}) ==
          "a.yaml:6:1: the revision has more than 1 documents; this is one too many\n");
}

TEST_CASE("an overlay's directory must be in one of the overlay roots") {
    Limits limits;
    limits.overlay_roots = {"/srv/left4me", "/srv/left4me/maps", "/opt/overlays"};
    const auto load_at = [&](const std::string& path) {
        return load(std::vector<SourceFile>{{"a.yaml",
                                             "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: o}\n"
                                             "spec:\n  source:\n    directory: " +
                                                 path + "\n"}},
                    limits);
    };
    for (const char* path : {"/etc/left4me/secrets", "/srv/left4me-other", "/srv", "/srv/left4m"}) {
        INFO(path);
        const auto refused = load_at(path);
        REQUIRE_FALSE(refused);
        REQUIRE(refused.error().size() == 1);
        CHECK(refused.error().front().rule == Rule::DirectoryOutsideRoots);
        CHECK(to_string(refused.error())
                  .starts_with("a.yaml:6:16: spec.source.directory: '" + std::string(path)));
        CHECK(refused.error().front().message.contains("(/srv/left4me, /srv/left4me/maps, /opt/overlays)"));
        CHECK(refused.error().front().message.contains("overlayRoots in /etc/left4me/config.yaml"));
    }
    for (const auto& [path, root] :
         std::map<std::string, std::string>{{"/srv/left4me/a", "/srv/left4me"},
                                            {"/srv/left4me", "/srv/left4me"},
                                            {"/srv/left4me/maps/a", "/srv/left4me/maps"},
                                            {"/opt/overlays/b/c", "/opt/overlays"}}) {
        INFO(path);
        const auto loaded = load_at(path);
        REQUIRE(loaded);
        CHECK(std::get<DirectorySource>(loaded->overlays.at("o").source).root == root);
    }
}

TEST_CASE("an archive on this host must be in one of the overlay roots, and gets the host's limits") {
    Limits limits;
    limits.overlay_roots = {"/srv/left4me"};
    limits.source.entries = 7;
    limits.private_networks = {"10.0.0.0/8"};
    const std::string sha256(64, 'a');
    const auto load_from = [&](const std::string& url) {
        return load(std::vector<SourceFile>{{"a.yaml",
                                             "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: o}\n"
                                             "spec:\n  source:\n    archive: {sha256: " +
                                                 sha256 + ", url: " + url + "}\n"}},
                    limits);
    };
    for (const char* url : {"/etc/left4me/secrets/rcon", "[https://example.org/a.zip, /srv/other/a.zip]"}) {
        INFO(url);
        const auto refused = load_from(url);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().front().rule == Rule::DirectoryOutsideRoots);
        CHECK(refused.error().front().message.starts_with("spec.source.archive.url: '/"));
    }
    const auto loaded = load_from("[https://example.org/a.zip, /srv/left4me/a.zip]");
    REQUIRE(loaded);
    ArchiveSource wanted;
    wanted.locations = {{"https://example.org/a.zip", ""}, {"/srv/left4me/a.zip", "/srv/left4me"}};
    wanted.sha256 = sha256;
    wanted.limits.entries = 7;
    wanted.private_networks = {"10.0.0.0/8"};
    CHECK(loaded->overlays.at("o").source == OverlaySource(wanted));
}

TEST_CASE("a git repository on this host must be in one of the overlay roots, and gets the host's limits") {
    Limits limits;
    limits.overlay_roots = {"/srv/left4me"};
    limits.source.entries = 7;
    limits.private_networks = {"10.0.0.0/8"};
    const auto load_from = [&](const std::string& git) {
        return load(std::vector<SourceFile>{{"a.yaml",
                                             "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: o}\n"
                                             "spec:\n  source:\n    git: {" +
                                                 git + "}\n"}},
                    limits);
    };
    const auto refused = load_from("url: /etc/left4me/manifests");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().front().rule == Rule::DirectoryOutsideRoots);
    CHECK(refused.error().front().message.starts_with("spec.source.git.url: '/etc/left4me/manifests'"));
    GitSource wanted;
    wanted.url = "/srv/left4me/pack.git";
    wanted.root = "/srv/left4me";
    wanted.limits.entries = 7;
    wanted.private_networks = {"10.0.0.0/8"};
    for (const char* git : {"url: /srv/left4me/pack.git", "url: /srv/left4me/pack.git, path: ."}) {
        const auto loaded = load_from(git);
        REQUIRE(loaded);
        CHECK(loaded->overlays.at("o").source == OverlaySource(wanted));
    }
    const auto loaded =
        load_from("url: 'https://example.org/p.git', ref: v1, path: a/b, into: left4dead2, exclude: [x]");
    REQUIRE(loaded);
    wanted.url = "https://example.org/p.git";
    wanted.root = "";
    wanted.ref = "v1";
    wanted.path = "a/b";
    wanted.into = "left4dead2";
    wanted.exclude = {"x"};
    CHECK(loaded->overlays.at("o").source == OverlaySource(wanted));
}

TEST_CASE("a map index gets the host's limits") {
    Limits limits;
    limits.source.bytes = 7;
    limits.private_networks = {"10.0.0.0/8"};
    const auto loaded =
        load(std::vector<SourceFile>{{"a.yaml",
                                      "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: o}\n"
                                      "spec: {source: {mapIndex: {url: \"https://example.org/index.csv\", "
                                      "exclude: [dm_*.vpk]}}}\n"}},
             limits);
    REQUIRE(loaded);
    MapIndexSource wanted;
    wanted.url = "https://example.org/index.csv";
    wanted.exclude = {"dm_*.vpk"};
    wanted.limits.bytes = 7;
    wanted.private_networks = {"10.0.0.0/8"};
    CHECK(loaded->overlays.at("o").source == OverlaySource(wanted));
}

TEST_CASE("a script has the settings of its manifest, and the defaults for all others") {
    const auto load_script = [](const std::string& fields) {
        const auto loaded = load(std::vector<SourceFile>{
            {"a.yaml",
             "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: o}\nspec: {source: {script: {" +
                 fields + "}}}\n"}});
        REQUIRE(loaded);
        return std::get<ScriptSource>(loaded->overlays.at("o").source);
    };
    using std::chrono::minutes;
    constexpr std::uint64_t mib = 1U << 20U;
    CHECK(load_script("run: 'true'") ==
          ScriptSource{"true", ScriptNetwork::None, minutes(30), 2048 * mib, 1024 * mib, {}});
    CHECK(load_script("run: 'false', network: Public, timeout: 5m, memory: 16Mi, disk: 100Mi") ==
          ScriptSource{"false", ScriptNetwork::Public, minutes(5), 16 * mib, 100 * mib, {}});
}

TEST_CASE("a revision that was followed may warn players without a console, as before that was an error") {
    const std::vector<SourceFile> files{
        {"a.yaml",
         "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: coop}\nspec: {}\n---\n"
         "apiVersion: left4me/v1\nkind: Server\nmetadata: {name: coop}\n"
         "spec: {blueprint: coop, port: 27015, rollout: {policy: WhenEmpty, deadline: 1h, warn: [1m]}}\n"}};
    CHECK_FALSE(load(files));
    Limits limits;
    limits.followed_before = true;
    CHECK(load(files, limits));
}

TEST_CASE("the host's own key among the secrets is refused even if a Blueprint lists it") {
    const std::vector<SourceFile> files{
        {"a.yaml",
         "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: coop}\n"
         "spec: {secrets: [rcon, key], config: '${secret:rcon} ${secret:key}'}\n"}};
    REQUIRE(load(files));
    Limits limits;
    limits.reserved_secrets = {"key"};
    for (const bool before : {false, true}) {
        limits.followed_before = before;
        const auto set = load(files, limits);
        REQUIRE_FALSE(set);
        CHECK(to_string(set.error()) ==
              "a.yaml:4:38: spec.config: '${secret:key}' is the host's key for its git remote, which no "
              "Blueprint may use; remove it\n");
    }
}
