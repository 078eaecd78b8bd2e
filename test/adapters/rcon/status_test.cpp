#include "adapters/rcon/status.hpp"

#include <random>
#include <string>

#include "support/catch.hpp"

using namespace left4me::rcon;

namespace {

std::string status_text(const std::string& players, const std::string& list = "") {
    return "hostname: The Parish\nversion : 2.2.4.3 9477 secure  (unknown)\nudp/ip  : 0.0.0.0:27015 [ public "
           "n/a ]\nos      : Linux Dedicated\nmap     : c5m1_waterfront\n" +
           players + "\n\n# userid name uniqueid connected ping loss state rate adr\n" + list + "#end\n";
}

const std::string nobody = "players : 0 humans, 0 bots (12 max) (hibernating) (unreserved)";

}  // namespace

TEST_CASE("an empty server says so") {
    const auto status = parse_status(status_text(nobody));
    REQUIRE(status);
    CHECK(*status == GameStatus{.max = 12, .is_hibernating = true});
}

TEST_CASE("a lobby that has reserved an empty server is seen") {
    const auto status = parse_status(
        status_text("players : 0 humans, 0 bots (12 max) (not hibernating) (reserved 186000047cf0fd8)"));
    REQUIRE(status);
    CHECK(status->humans == 0);
    CHECK(status->is_reserved);
    CHECK_FALSE(status->is_hibernating);
}

TEST_CASE("humans are told from bots, and those who are connecting are humans") {
    const auto status = parse_status(status_text(
        "players : 2 humans, 1 bots (8 max) (not hibernating) (unreserved)",
        "# 26 1 \"name\" STEAM_1:0:12345678 05:40 99 0 active 30000 1.2.3.4:44563\n"
        "# 28 2 \"a \"quoted\" name BOT active\" STEAM_1:1:2 00:04 99 0 spawning 30000 1.2.3.4:1\n"
        "#27 \"Coach\" BOT active\n"));
    REQUIRE(status);
    CHECK(status->humans == 2);
    CHECK(status->connecting == 1);
    CHECK(status->bots == 1);
    CHECK(status->max == 8);
}

TEST_CASE("if the list names more humans than the sum, the larger number counts") {
    const auto status = parse_status(
        status_text(nobody, "# 26 1 \"x\" STEAM_ID_PENDING 00:01 0 0 challenging 30000 1.2.3.4:44563\n"));
    REQUIRE(status);
    CHECK(status->humans == 1);
    CHECK(status->connecting == 1);
}

TEST_CASE("lines that end as on Windows are read, too") {
    std::string text;
    for (const char c : status_text(nobody)) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
    CHECK(parse_status(text));
}

TEST_CASE("a text that does not clearly say who is there says nothing") {
    for (const std::string& text :
         {std::string(), std::string("Unknown command \"status\"\n"), status_text(""),
          // Two outputs that were mixed, or a player by the name of "players " who talks.
          status_text(nobody + "\n" + nobody), status_text("players : 1 humans, pla" + nobody),
          status_text("players : 0 humans, 0 bots (12 max) (hibernating)"),
          status_text("players : 0 humans, 0 bots (12 max) (hibernating) (reserved )"),
          status_text("players : 0 humans, 0 bots (12 max) (hibernating) (reserved 1x)"),
          status_text("players : 0 humans, 0 bots (12 max) (hibernating) (unreserved) and more"),
          status_text("players : -1 humans, 0 bots (12 max) (hibernating) (unreserved)"),
          status_text("players : 4294967296 humans, 0 bots (12 max) (hibernating) (unreserved)"),
          status_text("players :  humans, 0 bots (12 max) (hibernating) (unreserved)"),
          status_text(" " + nobody), status_text("players: 0 humans, 0 bots (12 max) (hibernating)")})
        CHECK_FALSE(parse_status(text));
}

TEST_CASE("no prefix of a text, and no changed byte of the line that counts, makes a full server empty") {
    const std::string full =
        "players : 12 humans, 0 bots (12 max) (not hibernating) (reserved 186000047cf0fd8)";
    std::string list;
    for (int i = 1; i <= 12; ++i)
        list += "# " + std::to_string(i) + " 1 \"n\" STEAM_1:0:1 05:40 99 0 active 30000 1.2.3.4:44563\n";
    const std::string text = status_text(full, list);
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto status = parse_status(text.substr(0, size));
        CHECK((!status || status->humans > 0));
    }
    std::minstd_rand random(1);
    for (int i = 0; i < 3000; ++i) {
        std::string changed = text;
        for (int j = 0; j < 3; ++j) changed[random() % changed.size()] = static_cast<char>(random());
        const auto status = parse_status(changed);
        CHECK((!status || status->humans > 0));
    }
}
