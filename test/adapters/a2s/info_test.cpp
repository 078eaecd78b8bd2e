#include "adapters/a2s/answer.hpp"

#include <random>

#include "support/catch.hpp"

using namespace left4me::a2s;

namespace {

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return bytes;
}

/// What a real server answered: version 2.1.2.5, versus, 20 of 27 players.
const std::string recorded = from_hex(
    "ffffffff49115a616d62694c616e6420313376733133205b322e312e322e355d0063356d315f776174657266726f6e74006c6566"
    "74346465616432004c656674203420446561642032002602141b00646c0001322e312e322e3500b1876907481b05331140017665"
    "727375732c696e637265617365645f6d6178706c61796572732c6c6f6f742c6e6f2d737465616d2c72616e6b2c73656375726500"
    "2602000000000000");

std::optional<Info> info_in(std::string_view datagram) {
    auto answer = parse_answer(datagram);
    if (!answer || !std::holds_alternative<Info>(*answer)) return std::nullopt;
    return std::get<Info>(std::move(*answer));
}

Info made(std::uint8_t players, std::uint8_t bots, std::string keywords) {
    Info info;
    info.players = players;
    info.bots = bots;
    info.keywords = std::move(keywords);
    return info;
}

}  // namespace

TEST_CASE("the answer of a real server is read") {
    REQUIRE(recorded.size() == 164);
    const auto info = info_in(recorded);
    REQUIRE(info);
    CHECK(info->name == "ZambiLand 13vs13 [2.1.2.5]");
    CHECK(info->map == "c5m1_waterfront");
    CHECK(info->folder == "left4dead2");
    CHECK(info->game == "Left 4 Dead 2");
    CHECK(info->app == 550);
    CHECK(info->players == 20);
    CHECK(info->max_players == 27);
    CHECK(info->bots == 0);
    CHECK(info->type == 'd');
    CHECK(info->system == 'l');
    CHECK_FALSE(info->password);
    CHECK(info->secure);
    CHECK(info->version == "2.1.2.5");
    CHECK(info->port == 27015);
    CHECK(info->keywords == "versus,increased_maxplayers,loot,no-steam,rank,secure");
    CHECK(people(*info) == 20);
}

TEST_CASE("an answer that is cut anywhere is none, except where old servers end it") {
    const std::size_t end_of_version = recorded.find("2.1.2.5", 40) + 8;
    for (std::size_t size = 0; size < recorded.size(); ++size) {
        CAPTURE(size);
        CHECK(parse_answer(recorded.substr(0, size)).has_value() == (size == end_of_version));
    }
    CHECK(info_in(recorded.substr(0, end_of_version))->players == 20);
}

TEST_CASE("what follows the last known field of an answer is ignored, up to the largest datagram") {
    const std::string room(largest_datagram - recorded.size(), 'x');
    CHECK(info_in(recorded + room) == info_in(recorded));
    CHECK_FALSE(parse_answer(recorded + room + "x"));
}

TEST_CASE("a challenge is exactly four bytes") {
    const std::string datagram = from_hex("ffffffff4129f9d53c");
    const auto answer = parse_answer(datagram);
    REQUIRE(answer);
    REQUIRE(std::holds_alternative<Challenge>(*answer));
    const Challenge& challenge = std::get<Challenge>(*answer);
    CHECK(encode(challenge) == datagram);
    CHECK(info_question(challenge) == info_question() + from_hex("29f9d53c"));
    for (std::size_t size = 0; size < datagram.size(); ++size)
        CHECK_FALSE(parse_answer(datagram.substr(0, size)));
    CHECK_FALSE(parse_answer(datagram + "x"));
}

TEST_CASE("the question is the one of the protocol") {
    CHECK(info_question() == from_hex("ffffffff54536f7572636520456e67696e6520517565727900"));
}

TEST_CASE("other datagrams are no answers") {
    CHECK_FALSE(parse_answer(""));
    CHECK_FALSE(parse_answer(info_question()));
    CHECK_FALSE(parse_answer(from_hex("ffffffff44")));                       // PLAYER
    CHECK_FALSE(parse_answer(from_hex("ffffffff45")));                       // RULES
    CHECK_FALSE(parse_answer(from_hex("ffffffff6d") + recorded.substr(5)));  // GoldSrc
    CHECK_FALSE(parse_answer(from_hex("feffffff0100000002") +
                             recorded.substr(4)));  // the first part of a split answer
    CHECK_FALSE(parse_answer(from_hex("fefffffff1ffffff") + recorded));
}

TEST_CASE("whatever is written into an answer is read again") {
    Info info = *info_in(recorded);
    CHECK(info_in(encode(info)) == info);
    info.keywords.clear();
    CHECK(info_in(encode(info)) == info);
    info.port.reset();
    CHECK(info_in(encode(info)) == info);
    info.name = std::string(200, 'n');
    info.map = "\xFF\xFE";
    info.players = info.max_players = 255;
    info.password = true;
    CHECK(info_in(encode(info)) == info);
}

TEST_CASE("any bytes are read without harm") {
    std::minstd_rand random(1);
    for (int i = 0; i < 20'000; ++i) {
        std::string changed = recorded.substr(0, random() % (recorded.size() + 1));
        for (unsigned j = random() % 8; j > 0 && changed.size() > 5; --j)
            changed[5 + random() % (changed.size() - 5)] = static_cast<char>(random());
        if (const auto info = info_in(changed)) CHECK(people(*info) <= 255);
    }
}

TEST_CASE("bots count as players unless the game also says that it is empty") {
    CHECK(people(made(0, 0, "")) == 0);
    CHECK(people(made(4, 4, "")) == 4);
    CHECK(people(made(4, 4, "coop,secure")) == 4);
    CHECK(people(made(4, 4, "empty")) == 0);
    CHECK(people(made(4, 4, "coop,empty,secure")) == 0);
    CHECK(people(made(4, 4, "coop,nonempty")) == 4);
    CHECK(people(made(4, 4, "emptyish,coop")) == 4);
    CHECK(people(made(5, 4, "empty")) == 5);
}
