#include "adapters/rcon/packets.hpp"

#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace left4me::rcon;

namespace {

std::vector<Packet> all_of(PacketReader& reader) {
    std::vector<Packet> packets;
    while (auto packet = reader.next()) packets.push_back(*std::move(packet));
    return packets;
}

const std::vector<Packet> some{{1, Packet::auth_response, ""},
                               {7, Packet::response, "hostname: x\n"},
                               {-1, Packet::auth_response, std::string(4000, 'a')}};

std::string bytes_of(const std::vector<Packet>& packets) {
    std::string bytes;
    for (const Packet& packet : packets) bytes += encode(packet);
    return bytes;
}

}  // namespace

TEST_CASE("a packet is what the protocol says") {
    const std::string expected("\x11\0\0\0\x07\0\0\0\x03\0\0\0hunter2\0\0", 21);
    CHECK(encode({7, Packet::auth, "hunter2"}) == expected);
}

TEST_CASE("packets are read however TCP has split and joined them") {
    const std::string bytes = bytes_of(some);
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{1000}, bytes.size()}) {
        PacketReader reader;
        std::vector<Packet> packets;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            reader.add(std::string_view(bytes).substr(at, step));
            for (Packet& packet : all_of(reader)) packets.push_back(std::move(packet));
        }
        CHECK(packets == some);
        CHECK_FALSE(reader.is_broken());
    }
}

TEST_CASE("a packet that is too small or too large ends the reading") {
    for (const std::string& size :
         {std::string("\0\0\0\0", 4), std::string("\x09\0\0\0", 4), std::string("\x01\x40\0\0", 4),
          std::string("\xFF\xFF\xFF\xFF", 4), std::string("HTTP/1.1 400 Bad Request")}) {
        PacketReader reader;
        reader.add(size + encode(some.front()));
        CHECK_FALSE(reader.next());
        CHECK(reader.is_broken());
        CHECK_FALSE(reader.next());
    }
}

TEST_CASE("changed bytes never give more than they hold") {
    std::minstd_rand random(1);
    const std::string whole = bytes_of(some);
    for (int i = 0; i < 2000; ++i) {
        std::string changed = whole;
        for (int j = 0; j < 6; ++j) changed[random() % changed.size()] = static_cast<char>(random());
        PacketReader reader;
        reader.add(changed);
        std::size_t size = 0;
        for (const Packet& packet : all_of(reader)) size += packet.body.size() + 14;
        CHECK(size <= changed.size());
    }
}
