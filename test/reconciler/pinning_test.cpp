#include "reconciler/pinning.hpp"

#include <algorithm>
#include <set>

#include "reconciler/build.hpp"
#include "reconciler/desired.hpp"
#include "reconciler/target.hpp"
#include "specs/load.hpp"
#include "specs/lock.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

const std::string commit(40, 'a');
const std::string other_commit(40, 'b');
const std::string sha256(64, '1');

GitSource git() {
    GitSource source;
    source.url = "https://example.org/pack";
    source.ref = "main";
    return source;
}

WorkshopSource workshop() {
    WorkshopSource source;
    source.items = {"11"};
    source.collections = {"100"};
    return source;
}

MapIndexSource maps() {
    MapIndexSource source;
    source.url = "https://example.org/index.csv";
    return source;
}

const WorkshopPin items{{{"11", {1700000000, 5, sha256}}, {"22", {1700000001, 6, sha256}}}};
const WorkshopPin unknown_digests{{{"11", {1700000000, 5}}, {"22", {1700000001, 6}}}};

ManifestSet set_with(const OverlaySource& source, const Lock& lock) {
    ManifestSet set;
    set.overlays["o"].source = source;
    set.lock = lock;
    return set;
}

UnitBuild built_from(const OverlaySource& asked, const std::string& input, const Pin& pin) {
    UnitBuild build;
    build.record.artifact = BuiltArtifact{"aaaa", input, "", pinned_inputs(asked, pin)};
    return build;
}

}  // namespace

TEST_CASE("sources that move have an identity, which is that of what is pinned") {
    CHECK(pin_identity(git()));
    CHECK(pin_identity(workshop()));
    CHECK(pin_identity(maps()));
    CHECK_FALSE(pin_identity(ArchiveSource{}));
    CHECK_FALSE(pin_identity(InlineSource{}));
    CHECK_FALSE(pin_identity(DirectorySource{}));
    CHECK_FALSE(pin_identity(ScriptSource{}));
    GitSource source = git();
    source.ref = commit;
    CHECK_FALSE(pin_identity(source));
    // Which files of the commit are taken is no matter of the pin.
    source = git();
    source.path = "sub";
    source.exclude = {"*.md"};
    CHECK(pin_identity(source) == pin_identity(git()));
    source.ref = "other";
    CHECK(pin_identity(source) != pin_identity(git()));
    WorkshopSource more = workshop();
    more.items.emplace_back("22");
    CHECK(pin_identity(more) != pin_identity(workshop()));
    WorkshopSource turned = more;
    std::reverse(turned.items.begin(), turned.items.end());
    CHECK(pin_identity(turned) == pin_identity(more));
    CHECK(pin_identity(with_pin(workshop(), items)) == pin_identity(workshop()));
}

TEST_CASE("a pin is part of what a build is asked for") {
    GitSource source = git();
    const std::string unpinned = fingerprint(source);
    source.pin = GitPin{commit};
    const std::string pinned = fingerprint(source);
    CHECK(pinned != unpinned);
    source.pin = GitPin{other_commit};
    CHECK(fingerprint(source) != pinned);
    WorkshopSource steam = workshop();
    std::set<std::string> inputs{fingerprint(steam)};
    for (const WorkshopPin& pin :
         {items, unknown_digests, WorkshopPin{{{"11", {1, 5}}}}, WorkshopPin{{{"11", {1, 6}}}}}) {
        steam.pin = pin;
        CHECK(inputs.insert(fingerprint(steam)).second);
    }
    MapIndexSource index = maps();
    inputs = {fingerprint(index)};
    for (const MapIndexPin& pin :
         {MapIndexPin{}, MapIndexPin{{{"a.vpk", {1, "x"}}}}, MapIndexPin{{{"a.vpk", {1, "y"}}}}}) {
        index.pin = pin;
        CHECK(inputs.insert(fingerprint(index)).second);
    }
}

TEST_CASE("to pin what an artifact was built from builds nothing, and another pin does") {
    UnitBuild build = built_from(workshop(), fingerprint(workshop()), items);
    const auto is_built = [&](const std::optional<WorkshopPin>& pin) {
        WorkshopSource source = workshop();
        source.pin = pin;
        build.input = fingerprint(source);
        return build.is_built();
    };
    CHECK(is_built(std::nullopt));
    CHECK(is_built(items));
    CHECK(is_built(unknown_digests));
    WorkshopPin moved = items;
    moved.items["11"].updated = 1700000009;
    CHECK_FALSE(is_built(moved));
    WorkshopPin forged = items;
    forged.items["11"].sha256 = std::string(64, '2');
    CHECK_FALSE(is_built(forged));
    // What was built as pinned is not what a source without a pin asks for: upstream may be elsewhere.
    build = built_from(with_pin(workshop(), items),
                       fingerprint(std::get<WorkshopSource>(with_pin(workshop(), items))), items);
    CHECK(is_built(items));
    CHECK_FALSE(is_built(std::nullopt));
}

TEST_CASE("a pin of another source, of none or of a kind that needs none is stale, said and ignored") {
    const std::string identity = pin_identity(git()).value();
    const Location where{"left4me.lock", 5, 3};
    const auto said = [&](const OverlaySource& source, const Lock& lock) {
        const ManifestSet set = set_with(source, lock);
        CHECK_FALSE(pin_of(make_desired(set, "r").overlays.at("o")));
        const auto stale = make_desired(set, "r").stale_pins;
        REQUIRE(stale.size() == 1);
        return to_text(stale.front());
    };
    const ManifestSet good = set_with(git(), {{"o", {identity, GitPin{commit}, where}}});
    CHECK(stale_pins(good).empty());
    CHECK(pin_of(make_desired(good, "r").overlays.at("o")) == Pin(GitPin{commit}));
    CHECK(
        said(git(), {{"gone", {identity, GitPin{commit}, where}}}) ==
        "left4me.lock:5:3: the pin of overlay/gone is not used: no manifest names the overlay; sudo l4d2ctl "
        "lock writes the file anew");
    CHECK(said(git(), {{"o", {"0123456789abcdef", GitPin{commit}, where}}}).contains("of another source"));
    CHECK(said(git(), {{"o", {identity, items, where}}}).contains("of another source"));
    CHECK(said(InlineSource{}, {{"o", {identity, GitPin{commit}, where}}}).contains("needs no pin"));
}

TEST_CASE("what differs between two pins is told by input") {
    CHECK(changes(std::nullopt, GitPin{commit}) == std::vector<PinChange>{{"commit", "", commit}});
    CHECK(changes(GitPin{commit}, GitPin{commit}).empty());
    CHECK(changes(GitPin{commit}, GitPin{other_commit}) ==
          std::vector<PinChange>{{"commit", commit, other_commit}});
    CHECK(changes(items, unknown_digests).empty());
    CHECK(changes(unknown_digests, items).empty());
    CHECK(changes(items, WorkshopPin{{{"22", {1700000002, 6}}, {"33", {1, 2}}}}) ==
          std::vector<PinChange>{
              {"11", "updated 1700000000, 5 bytes, sha256 111111111111", ""},
              {"22", "updated 1700000001, 6 bytes, sha256 111111111111", "updated 1700000002, 6 bytes"},
              {"33", "", "updated 1, 2 bytes"}});
    CHECK(changes(MapIndexPin{{{"a.vpk", {1, "x"}}}}, MapIndexPin{{{"a.vpk", {1, "y"}}}}) ==
          std::vector<PinChange>{{"a.vpk", "1 bytes, md5 x", "1 bytes, md5 y"}});
}

TEST_CASE("a digest that is known of the same version is kept") {
    CHECK(with_known_digests(unknown_digests, items) == Pin(items));
    CHECK(with_known_digests(unknown_digests, std::nullopt) == Pin(unknown_digests));
    WorkshopPin moved = unknown_digests;
    moved.items["11"].size = 7;
    CHECK(std::get<WorkshopPin>(with_known_digests(moved, items)).items.at("11").sha256.empty());
    CHECK(with_known_digests(GitPin{commit}, items) == Pin(GitPin{commit}));
}
