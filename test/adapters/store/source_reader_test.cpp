#include "adapters/store/source_reader.hpp"

#include <chrono>
#include <thread>

#include "place.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

struct OneSource {
    explicit OneSource(std::optional<std::chrono::milliseconds> timeout = {}) : sources(timeout) {
        place.file("maps/a.vpk", "a map");
        overlays["maps"] = directory_source(place.path("maps"));
    }

    /// The fingerprint; "" while it is not known.
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
    store::SourceReader sources;
    std::map<std::string, OverlaySource> overlays;
};

}  // namespace

TEST_CASE("who has the patience is told what every source looks like", "[sources]") {
    OneSource one;
    one.overlays["gone"] = directory_source(one.place.path("gone"));
    const auto known = one.sources.read(one.overlays);
    CHECK(known.at("maps").value() == input_of(one.place, one.overlays.at("maps")));
    CHECK_FALSE(known.at("gone").value().has_value());
    CHECK_FALSE(one.sources.drain());
}

TEST_CASE("a read with a timeout returns the previous result, and the new one is announced once",
          "[sources]") {
    OneSource one(0ms);
    CHECK(one.read().empty());
    REQUIRE(one.wait_for_news());
    const std::string first = one.read();
    CHECK(first == input_of(one.place, one.overlays.at("maps")));
    // It was read again, and nothing was new.
    while (!one.sources.idle()) std::this_thread::sleep_for(1ms);
    CHECK_FALSE(one.sources.drain());

    one.place.file("maps/b.vpk", "another map");
    CHECK(one.read() == first);
    REQUIRE(one.wait_for_news());
    const std::string second = one.read();
    CHECK(second != first);
    CHECK(second == input_of(one.place, one.overlays.at("maps")));
}

TEST_CASE("another directory is a new question, whatever is cached of the first", "[sources]") {
    OneSource one(0ms);
    (void)one.read();
    REQUIRE(one.wait_for_news());
    one.place.file("others/c.vpk", "a third map");
    one.overlays["maps"] = directory_source(one.place.path("others"));
    CHECK(one.read().empty());
    REQUIRE(one.wait_for_news());
    CHECK(one.read() == input_of(one.place, one.overlays.at("maps")));
}
