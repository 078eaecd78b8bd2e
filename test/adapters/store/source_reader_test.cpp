#include "adapters/store/source_reader.hpp"

#include <chrono>
#include <stop_token>
#include <thread>

#include "place.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

struct OneSource {
    explicit OneSource(std::optional<std::chrono::milliseconds> patience = {})
        : digests(place.path("digests")), sources(digests, patience) {
        place.file("maps/a.vpk", "a map");
        overlays["maps"] = directory_source(place.path("maps"));
    }

    /// The generation; "" while it is not known.
    std::string read() {
        const auto known = sources.read(overlays).at("maps");
        return known ? known->value() : std::string();
    }
    bool wait_for_news() {
        Readiness readiness = sources.readiness();
        readiness.timeout = 60s;
        wait_for_any({readiness});
        return sources.drain();
    }

    Place place;
    store::DigestCache digests;
    store::SourceReader sources;
    std::map<std::string, OverlaySource> overlays;
};

}  // namespace

TEST_CASE("who has the patience is told what every source holds", "[sources]") {
    OneSource one;
    one.overlays["rates"] = inline_source({{"left4dead2/cfg/rates.cfg", "sv_maxrate 100000"}});
    one.overlays["gone"] = directory_source(one.place.path("gone"));
    const auto known = one.sources.read(one.overlays);
    CHECK(known.at("maps").value() == wanted(one.place, one.overlays.at("maps")));
    CHECK(known.at("rates").value() == wanted(one.place, one.overlays.at("rates")));
    CHECK_FALSE(known.at("gone").value().has_value());
    CHECK_FALSE(one.sources.drain());
}

TEST_CASE("who has no patience is told later, once, and meanwhile what was known before", "[sources]") {
    OneSource one(0ms);
    CHECK(one.read().empty());
    REQUIRE(one.wait_for_news());
    const std::string first = one.read();
    CHECK(first == wanted(one.place, one.overlays.at("maps")));
    // It was read once more, and nothing was new.
    while (!one.sources.idle()) std::this_thread::sleep_for(1ms);
    CHECK_FALSE(one.sources.drain());

    one.place.file("maps/b.vpk", "another map");
    CHECK(one.read() == first);
    REQUIRE(one.wait_for_news());
    const std::string second = one.read();
    CHECK(second != first);
    CHECK(second == wanted(one.place, one.overlays.at("maps")));
}

TEST_CASE("another directory is another question, whatever was known of the first", "[sources]") {
    OneSource one(0ms);
    (void)one.read();
    REQUIRE(one.wait_for_news());
    one.place.file("others/c.vpk", "a third map");
    one.overlays["maps"] = directory_source(one.place.path("others"));
    CHECK(one.read().empty());
    REQUIRE(one.wait_for_news());
    CHECK(one.read() == wanted(one.place, one.overlays.at("maps")));
}

TEST_CASE("a source that is still being read keeps what was remembered of it", "[sources]") {
    OneSource one;
    one.place.let_settle();
    REQUIRE_FALSE(one.read().empty());
    one.digests.save();
    const std::string remembered = one.place.read("digests");
    CHECK(remembered.find(one.place.path("maps")) != std::string::npos);

    store::DigestCache digests(one.place.path("digests"));
    store::SourceReader impatient(digests, 0ms);
    (void)impatient.read(one.overlays);
    digests.save();
    CHECK(one.place.read("digests") == remembered);
}

TEST_CASE("reading ends before its end when nobody wants to know any more", "[sources]") {
    OneSource one;
    std::stop_source stop;
    stop.request_stop();
    const auto generation =
        one.digests.generation_of(std::get<DirectorySource>(one.overlays.at("maps")), stop.get_token());
    REQUIRE_FALSE(generation);
    CHECK_THAT(generation.error(), Catch::Matchers::EndsWith("a.vpk was not read to its end"));
}
