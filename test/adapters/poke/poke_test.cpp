#include "adapters/poke/poke.hpp"

#include <filesystem>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;

namespace {

struct Place {
    left4me::test::Scratch scratch;
    Paths paths;

    Place() {
        paths.run = scratch.path();
        std::filesystem::create_directories(paths.poke().parent_path());
    }
};

}  // namespace

TEST_CASE("A poke with nobody there is no error", "[poke]") {
    const Place place;
    CHECK_FALSE(poke(place.paths));
}

TEST_CASE("Any number of pokes are one", "[poke]") {
    const Place place;
    auto socket = PokeSocket::listen(place.paths);
    REQUIRE(socket);
    CHECK_FALSE(socket->drain());
    for (int i = 0; i < 10'000; ++i) REQUIRE(poke(place.paths));
    CHECK(socket->drain());
    CHECK_FALSE(socket->drain());
}

TEST_CASE("A daemon that was killed does not keep the next one from listening", "[poke]") {
    const Place place;
    REQUIRE(PokeSocket::listen(place.paths));
    CHECK_FALSE(poke(place.paths));
    auto next = PokeSocket::listen(place.paths);
    REQUIRE(next);
    CHECK(poke(place.paths));
    CHECK(next->drain());
}
