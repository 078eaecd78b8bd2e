#include "adapters/poke/poke.hpp"

#include <sys/stat.h>
#include <unistd.h>

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
    CHECK(poke(place.paths) == Poked::NoDaemon);
}

TEST_CASE("Any number of pokes are one", "[poke]") {
    const Place place;
    auto socket = PokeSocket::listen(place.paths, std::nullopt);
    REQUIRE(socket);
    CHECK_FALSE(socket->drain());
    for (int i = 0; i < 10'000; ++i) REQUIRE(poke(place.paths) == Poked::Heard);
    CHECK(socket->drain());
    CHECK_FALSE(socket->drain());
}

TEST_CASE("A daemon that was killed does not keep the next one from listening", "[poke]") {
    const Place place;
    REQUIRE(PokeSocket::listen(place.paths, std::nullopt));
    CHECK(poke(place.paths) == Poked::NoDaemon);
    auto next = PokeSocket::listen(place.paths, std::nullopt);
    REQUIRE(next);
    CHECK(poke(place.paths) == Poked::Heard);
    CHECK(next->drain());
}

TEST_CASE("Only root, the owner and the operators' group are heard", "[poke]") {
    if (::geteuid() != 0) return;  // only root can be somebody else
    constexpr gid_t operators = 4242;
    const Place place;
    for (const auto& path : {place.scratch.path(), place.paths.poke().parent_path()})
        std::filesystem::permissions(path, std::filesystem::perms(0755));
    const auto socket = PokeSocket::listen(place.paths, operators);
    REQUIRE(socket);
    struct stat status{};
    REQUIRE(::stat(place.paths.poke().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0660U);
    CHECK(status.st_gid == operators);
    const auto poke_as = [&](gid_t group) {
        REQUIRE(::setegid(group) == 0);
        REQUIRE(::seteuid(65534) == 0);
        const Poked poked = poke(place.paths);
        REQUIRE(::seteuid(0) == 0);
        REQUIRE(::setegid(0) == 0);
        return poked;
    };
    CHECK(poke_as(operators) == Poked::Heard);
    CHECK(poke_as(65534) == Poked::Refused);
    CHECK(poke(place.paths) == Poked::Heard);
}
