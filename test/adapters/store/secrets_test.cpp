// Secrets end up in server.cfg and nowhere else.
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/store/secrets.hpp"
#include "place.hpp"

using namespace left4me;

namespace {

Desired with_secret() {
    Desired desired = one_server();
    desired.servers.at("comp1").config = "rcon_password \"${secret:rcon}\"\n$${name}\n";
    return desired;
}

std::string error_of(const Place& place) { return place.error(with_secret()); }

}  // namespace

TEST_CASE("a secret's text is what the game reads") {
    const Place place;
    place.file("etc/secrets/rcon", "hunter2\n");
    const Desired desired = with_secret();
    place.converge(desired);
    const auto server = place.observe(desired).servers.at("comp1");
    CHECK(server.damaged.empty());
    const std::string at = "instances/comp1/" + *server.current;
    CHECK(place.read(at + "/layer/left4dead2/cfg/server.cfg") == "rcon_password \"hunter2\"\n${name}\n");
    for (const char* file : {"/server.env", "/layers"})
        CHECK(place.read(at + file).find("hunter2") == std::string::npos);
}

TEST_CASE("a changed secret gives another rendering") {
    const Place place;
    place.file("etc/secrets/rcon", "hunter2");
    const auto before = place.rendering(with_secret());
    place.file("etc/secrets/rcon", "hunter3");
    CHECK(place.rendering(with_secret())->digest() != before->digest());
}

TEST_CASE("a digest that depends on a secret cannot be computed elsewhere to test passwords") {
    const Place one;
    const Place other;
    for (const Place* place : {&one, &other}) place->file("etc/secrets/rcon", "hunter2");
    const auto digest = [](const Place& place, const Desired& desired) {
        return place.rendering(desired)->digest();
    };
    CHECK(digest(one, with_secret()) == digest(one, with_secret()));
    CHECK(digest(one, with_secret()) != digest(other, with_secret()));
    CHECK(one.mode("state/key") == 0600);
    // Without a secret, the digest is the same everywhere.
    CHECK(digest(one, one_server()) == digest(other, one_server()));
}

TEST_CASE("a missing or unsuitable secret is an error that names file and remedy, never the text") {
    const Place place;
    const std::string file = place.path("etc/secrets/rcon");
    CHECK(error_of(place) == "there is no secret " + file + "; write the text into that file");
    place.file("etc/secrets/rcon", "\n");
    CHECK(error_of(place) == "the secret " + file + " is empty");
    for (const char* text : {"hunter2\nquit", "hunter\"2", "hunter\t2", "hunter2\r\n"}) {
        place.file("etc/secrets/rcon", text);
        CHECK(error_of(place) == "the secret " + file + " must be one line without quotation marks");
    }
    place.file("etc/secrets/rcon", std::string(4097, 'x'));
    CHECK(error_of(place) == "the secret " + file + " is longer than 4096 bytes");
    place.remove("etc/secrets/rcon");
    place.file("elsewhere", "x");
    place.symlink("etc/secrets/rcon", place.path("elsewhere"));
    CHECK(error_of(place) == "the secret " + file + " must be a plain file");
    place.remove("etc/secrets/rcon");
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK(error_of(place) == "the secret " + file + " must be a plain file");
}

TEST_CASE("a secret that left4me may not read says so") {
    if (::geteuid() != 0) return;  // only root can switch users
    const Place place;
    place.file("etc/secrets/rcon", "hunter2");
    ::chmod(place.path("").c_str(), 0755);
    ::chmod(place.path("etc/secrets/rcon").c_str(), 0600);
    store::Secrets secrets(place.paths);
    REQUIRE(::seteuid(65534) == 0);
    const auto text = secrets.lookup("rcon");
    REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(text);
    CHECK(text.error() ==
          "the secret " + place.path("etc/secrets/rcon") + " cannot be read; make user left4me its owner");
}

TEST_CASE("a secret's name never leaves its directory") {
    const Place place;
    store::Secrets secrets(place.paths);
    for (const char* name : {"", ".", "..", "../x", "a/b", "/etc/shadow", ".hidden"})
        CHECK_FALSE(secrets.lookup(name));
}

TEST_CASE("a damaged key is an error, not another key") {
    const Place place;
    place.file("etc/secrets/rcon", "hunter2");
    place.file("state/key", "short");
    CHECK(error_of(place).find("is damaged; remove it") != std::string::npos);
}
