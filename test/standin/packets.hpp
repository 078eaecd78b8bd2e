#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The bytes of A2S_INFO and of RCON, for the stand-in and for the tests' query client.
namespace standin {

std::string little_endian(std::uint32_t value);
std::uint32_t from_little_endian(std::string_view four_bytes);

struct Info {
    std::string name, map, folder, game, version;
    std::uint16_t app = 550;
    std::uint8_t players = 0, max_players = 0, bots = 0;
    bool password = false;
    std::uint16_t port = 0;
};

inline constexpr std::string_view info_request{"\xFF\xFF\xFF\xFF\x54Source Engine Query\0", 25};
inline constexpr std::string_view challenge_header{"\xFF\xFF\xFF\xFF\x41", 5};
inline constexpr std::string_view info_header{"\xFF\xFF\xFF\xFF\x49", 5};

std::string encode(const Info& info);
std::optional<Info> decode(std::string_view packet);

struct Rcon {
    static constexpr std::int32_t auth = 3, execute = 2, auth_response = 2, response = 0;
    std::int32_t id = 0, type = 0;
    std::string body;
};

std::string encode(const Rcon& packet);
/// Removes the first whole packet from `buffer`; nothing if there is none yet. `broken` if there never will
/// be.
std::optional<Rcon> take(std::string& buffer, bool& broken);

}  // namespace standin
