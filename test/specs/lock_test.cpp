// The lock file: what stands in it is read again as it was written, and every mistake has a place.
#include "specs/lock.hpp"

#include <random>

#include "specs/load.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

const std::string commit = "0123456789abcdef0123456789abcdef01234567";
const std::string md5 = "0123456789abcdef0123456789abcdef";
const std::string sha256 = md5 + md5;
const std::string source = "0123456789abcdef";

const Lock all_kinds{
    {"pack", {source, GitPin{commit}}},
    {"123", {source, WorkshopPin{{{"11", {1700000000, 5, sha256}}, {"22", {1, 6}}}}}},
    {"maps", {source, MapIndexPin{{{"größer \"1\": & 中文.vpk", {7, md5}}, {"no.vpk", {8, md5}}}}}},
};

std::expected<ManifestSet, Diagnostics> load_lock(const std::string& text, const Limits& limits = {}) {
    const std::vector<SourceFile> files{{"/etc/m/left4me.lock", text}};
    return load(files, limits);
}

std::string refused(const std::string& text) {
    const auto set = load_lock(text);
    return set ? "valid" : to_string(set.error());
}

std::string with_pin(const std::string& pin) {
    return "apiVersion: left4me/v1\nkind: Lock\noverlays:\n  o:\n    source: " + source +
           "\n    pin: " + pin + "\n";
}

}  // namespace

TEST_CASE("a lock file is read as it was written") {
    const std::string text = write_lock(all_kinds);
    INFO(text);
    const auto set = load_lock(text);
    REQUIRE(set);
    REQUIRE(set->lock.size() == all_kinds.size());
    for (const auto& [name, input] : all_kinds) {
        CHECK(set->lock.at(name).source == input.source);
        CHECK(set->lock.at(name).pin == input.pin);
    }
    CHECK(set->lock.at("pack").where.file == "/etc/m/left4me.lock");
    CHECK(set->lock.at("123").where.line == 6);
    CHECK(write_lock(set->lock) == text);
    CHECK(load_lock(write_lock({})).value().lock.empty());
    CHECK(load_lock("").value().lock.empty());
    CHECK(load_lock("# nothing yet\n").value().lock.empty());
}

TEST_CASE("a lock file pins nothing that the manifests do not say, and is no manifest") {
    const std::vector<SourceFile> files{
        {"a.yaml",
         "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: o}\nspec: {source: {git: {url: "
         "\"https://example.org/o\"}}}\n"},
        {"left4me.lock", write_lock(all_kinds)}};
    const auto set = load(files);
    REQUIRE(set);
    CHECK(set->overlays.size() == 1);
    CHECK(set->lock.size() == 3);
    CHECK_FALSE(is_lock_file("my-left4me.lock"));
    CHECK_FALSE(is_lock_file("left4me.lock.yaml"));
    CHECK(is_lock_file("left4me.lock"));
    CHECK(is_lock_file("deploy/left4me.lock"));
}

TEST_CASE("every mistake in a lock file has a place and a remedy") {
    CHECK(refused("- a\n") ==
          "/etc/m/left4me.lock:1:1: a lock file is a map that begins with `apiVersion: left4me/v1`; sudo "
          "l4d2ctl "
          "lock writes a new one once this is removed\n");
    CHECK(refused("apiVersion: left4me/v2\nkind: Lock\nitems: []\n") ==
          "/etc/m/left4me.lock:1:13: apiVersion 'left4me/v2' is unknown; this version of left4me understands "
          "left4me/v1 only\n");
    CHECK(refused("kind: Overlay\noverlays: {}\n") ==
          "/etc/m/left4me.lock:1:1: apiVersion is missing; write e.g. `apiVersion: left4me/v1`\n"
          "/etc/m/left4me.lock:1:7: kind: 'Overlay' is unknown; write Lock\n");
    CHECK(refused("apiVersion: left4me/v1\nkind: Lock\noverlays:\n  o: {sorce: x}\n")
              .contains("4:7: overlays['o']: unknown field 'sorce'; did you mean 'source'?"));
    CHECK(refused(with_pin("{git: {commit: main}}")) ==
          "/etc/m/left4me.lock:6:25: overlays['o'].pin.git.commit: 'main' is not 40 digits 0-9 and a-f; "
          "l4d2ctl "
          "lock writes them\n");
    CHECK(refused(with_pin("{}")).contains("6:10: overlays['o'].pin is empty; give exactly one of"));
    CHECK(refused(with_pin("{git: {commit: " + commit + "}, mapIndex: {maps: {}}}"))
              .contains("keep exactly one"));
    CHECK(refused(with_pin("{workshop: {items: {\"01\": {updated: 1, size: 1}}}}")).contains("6:30: "));
    CHECK(refused(with_pin("{workshop: {items: {\"1\": {updated: -1, size: 0}}}}")).contains("'-1' is not"));
    CHECK(refused(with_pin("{workshop: {items: {\"1\": {updated: 1, size: 0}}}}")).contains("out of range"));
    CHECK(refused(with_pin("{workshop: {items: {\"1\": {updated: 1, size: 1, sha256: 00}}}}"))
              .contains("sha256"));
    CHECK(refused(with_pin("{mapIndex: {maps: {../x.vpk: {size: 1, md5: " + md5 + "}}}}"))
              .contains("is not the name of a map's file"));
    CHECK(refused(with_pin("{mapIndex: {maps: {a.vpk: {size: 1, md5: 1}}}}")).contains("is not 32 digits"));
    CHECK(refused(write_lock(all_kinds) + "---\nkind: Lock\n").contains("a lock file is one document"));
    CHECK(refused(write_lock(all_kinds) + "overlays: {}\n").contains("overlays"));
    CHECK(refused("overlays: [").contains("/etc/m/left4me.lock:"));
    CHECK(refused("a: \x01\n").contains("control character"));
    const std::string pin_of_bad_name = write_lock({{"Not a name", {source, GitPin{commit}}}});
    CHECK(refused(pin_of_bad_name).contains("/etc/m/left4me.lock:6:3: "));
}

TEST_CASE("a lock file has limits") {
    WorkshopPin many;
    for (unsigned i = 1; i <= 5000; ++i) many.items[std::to_string(i)] = {i, i, sha256};
    const std::string text = write_lock({{"o", {source, many}}});
    CHECK(load_lock(text));
    Limits small;
    small.file_bytes = 1000;
    CHECK(to_string(load_lock(text, small).error()).contains("at most 1000 are allowed"));
    many.items["5001"] = {1, 1};
    CHECK(refused(write_lock({{"o", {source, many}}})).contains("at most 5000 are allowed"));
}

TEST_CASE("a damaged lock file is refused or read, and nothing else") {
    const std::string text = write_lock(all_kinds);
    std::mt19937 random(20261129);
    for (int round = 0; round < 2000; ++round) {
        std::string changed = text;
        for (int i = 0; i < 3; ++i) changed[random() % changed.size()] = static_cast<char>(random() & 0x7fU);
        const auto set = load_lock(changed);
        if (set) continue;
        for (const Diagnostic& diagnostic : set.error())
            CHECK(diagnostic.where.file == "/etc/m/left4me.lock");
    }
}
