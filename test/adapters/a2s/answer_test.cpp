// PLAYER, and answers in parts.
#include "adapters/a2s/answer.hpp"

#include <bzlib.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <random>

#include "adapters/a2s/split.hpp"
#include "support/catch.hpp"

using namespace left4me::a2s;

namespace {

std::string little_endian(std::uint32_t value) {
    std::string bytes;
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((value >> shift) & 0xFFU);
    return bytes;
}

std::string part(std::uint32_t id, unsigned total, unsigned number, const std::string& bytes) {
    return "\xFE\xFF\xFF\xFF" + little_endian(id) + static_cast<char>(total) + static_cast<char>(number) +
           "\xE0\x04" + bytes;
}

std::vector<std::string> split(const std::string& bytes, std::uint32_t id, std::size_t size) {
    std::vector<std::string> parts;
    const auto total = static_cast<unsigned>((bytes.size() + size - 1) / size);
    for (unsigned i = 0; i < total; ++i) parts.push_back(part(id, total, i, bytes.substr(i * size, size)));
    return parts;
}

constexpr std::uint32_t compressed_id = 0x8000'0007;

std::string compressed(const std::string& answer, std::uint32_t said_size, std::uint32_t checksum) {
    std::string packed(answer.size() + 1000, '\0');
    auto length = static_cast<unsigned>(packed.size());
    std::string copy = answer;
    REQUIRE(BZ2_bzBuffToBuffCompress(packed.data(), &length, copy.data(), static_cast<unsigned>(copy.size()),
                                     9, 0, 0) == BZ_OK);
    packed.resize(length);
    return little_endian(said_size) + little_endian(checksum) + packed;
}

std::uint32_t checksum_of(const std::string& bytes) {
    return static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<unsigned>(bytes.size())));
}

std::string compressed(const std::string& answer) {
    return compressed(answer, static_cast<std::uint32_t>(answer.size()), checksum_of(answer));
}

Players many(unsigned count) {
    Players players{count, {}};
    for (unsigned i = 0; i < count; ++i)
        players.list.push_back(
            {"player \"" + std::to_string(i) + "\" \xFF\x1b[0m", -static_cast<int>(i), 0.5F});
    return players;
}

std::optional<Players> players_in(std::string_view bytes) {
    auto answer = parse_answer(bytes);
    if (!answer || !std::holds_alternative<Players>(*answer)) return std::nullopt;
    return std::get<Players>(std::move(*answer));
}

}  // namespace

TEST_CASE("a list of players is read: every index may be 0, names may be anything and empty") {
    const Players players = many(33);
    CHECK(players_in(encode(players)) == players);
    CHECK(players_in(encode(Players{}))->count == 0);
    const Players odd{2, {{"", 0, 0}, {"\x01\x02", std::numeric_limits<std::int32_t>::min(), 1e30F}}};
    CHECK(players_in(encode(odd)) == odd);
}

TEST_CASE("a game may count more players than it lists, and what follows them is ignored") {
    Players players = many(2);
    const std::string listed = encode(players);
    players.count = 7;
    CHECK(players_in(encode(players))->count == 7);
    CHECK(players_in(encode(players))->list.size() == 2);
    CHECK(players_in(listed + "more") == many(2));
    for (std::size_t size = listed.size() - 1; size > 6; --size) {
        const auto cut = players_in(listed.substr(0, size));
        CAPTURE(size);
        // Only whole players.
        CHECK((!cut || (cut->list.size() == 1 && cut->count == 2)));
    }
    CHECK_FALSE(players_in(listed.substr(0, 5)));
}

TEST_CASE("the question for players has a challenge, or the one of those who have none") {
    CHECK(players_question() == "\xFF\xFF\xFF\xFF\x55\xFF\xFF\xFF\xFF");
    CHECK(players_question(Challenge{'a', 'b', 'c', 'd'}) ==
          "\xFF\xFF\xFF\xFF\x55"
          "abcd");
}

TEST_CASE("an answer in parts is put together in every order, with parts that come twice") {
    const std::string answer = encode(many(60));
    for (const bool packed : {false, true}) {
        const std::string sent = packed ? compressed(answer) : answer;
        auto parts = split(sent, packed ? compressed_id : 7, sent.size() / 4 + 1);
        REQUIRE(parts.size() == 4);
        std::sort(parts.begin(), parts.end());
        do {
            Parts collected;
            std::optional<std::string> whole;
            for (const std::string& one : parts) {
                CHECK_FALSE(whole);
                whole = collected.add(one);
                if (!whole) CHECK_FALSE(collected.add(one));
            }
            CHECK(whole == answer);
            CHECK_FALSE(collected.add(parts.front()));
        } while (std::next_permutation(parts.begin(), parts.end()));
    }
}

TEST_CASE("parts of an older answer do not get into a newer one") {
    const auto older = split("the older one", 1, 5);
    const auto newer = split("the newer one", 2, 5);
    Parts collected;
    CHECK_FALSE(collected.add(older[0]));
    CHECK_FALSE(collected.add(older[1]));
    CHECK_FALSE(collected.add(newer[0]));
    CHECK_FALSE(collected.add(newer[1]));
    CHECK(collected.add(newer[2]) == "the newer one");
    CHECK_FALSE(collected.add(older[2]));
    CHECK_FALSE(collected.add(older[0]));
    CHECK(collected.add(older[1]) == "the older one");
}

TEST_CASE("parts without sense are ignored") {
    Parts collected;
    CHECK_FALSE(collected.add(part(1, 0, 0, "x")));
    CHECK_FALSE(collected.add(part(1, 2, 2, "x")));
    CHECK_FALSE(collected.add(part(1, most_parts + 1, 0, "x")));
    CHECK_FALSE(collected.add(std::string("\xFE\xFF\xFF\xFF\x01\0\0\0\x01", 9)));
    CHECK_FALSE(collected.add(part(1, 1, 0, std::string(largest_datagram, 'x'))));
    CHECK_FALSE(collected.add("\xFF\xFF\xFF\xFF\x44"));
    CHECK(collected.add(part(1, 1, 0, "x")) == "x");
}

TEST_CASE("what is compressed must have the size and the checksum that the game states") {
    const std::string answer = encode(many(60));
    const auto size = static_cast<std::uint32_t>(answer.size());
    const auto add = [](const std::string& bytes) {
        Parts collected;
        std::optional<std::string> whole;
        for (const std::string& one : split(bytes, compressed_id, 1000)) whole = collected.add(one);
        return whole;
    };
    CHECK(add(compressed(answer)) == answer);
    CHECK_FALSE(add(compressed(answer, size - 1, checksum_of(answer))));
    CHECK_FALSE(add(compressed(answer, size + 1, checksum_of(answer))));
    CHECK_FALSE(add(compressed(answer, size, checksum_of(answer) + 1)));
    CHECK_FALSE(add(compressed(answer).substr(0, 40)));
    CHECK_FALSE(add(compressed(answer).substr(0, 7)));
    const std::string bomb(largest_answer + 1, 'x');
    CHECK_FALSE(add(compressed(bomb)));
    CHECK_FALSE(add(compressed(bomb, 1, checksum_of("x"))));
}

TEST_CASE("any list and any parts are read without harm") {
    std::minstd_rand random(1);
    const std::string list = encode(many(20));
    for (int i = 0; i < 5000; ++i) {
        std::string changed = list.substr(0, random() % (list.size() + 1));
        for (unsigned j = random() % 8; j > 0 && changed.size() > 5; --j)
            changed[5 + random() % (changed.size() - 5)] = static_cast<char>(random());
        if (const auto players = players_in(changed)) CHECK(players->list.size() <= players->count);
    }
}
