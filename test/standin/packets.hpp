#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The bytes of A2S and of RCON, for the stand-in and for the tests' query client.
namespace standin {

std::string little_endian(std::uint32_t value);
std::uint32_t from_little_endian(std::string_view four_bytes);

struct Info {
    std::string name, map, folder, game, version;
    std::uint16_t app = 550;
    std::uint8_t players = 0, max_players = 0, bots = 0;
    bool password = false;
    std::uint16_t port = 0;
    std::string keywords;
};

inline constexpr std::string_view info_request{"\xFF\xFF\xFF\xFF\x54Source Engine Query\0", 25};
inline constexpr std::string_view challenge_header{"\xFF\xFF\xFF\xFF\x41", 5};
inline constexpr std::string_view info_header{"\xFF\xFF\xFF\xFF\x49", 5};

inline constexpr std::string_view players_request{"\xFF\xFF\xFF\xFF\x55", 5};
inline constexpr std::string_view rules_request{"\xFF\xFF\xFF\xFF\x56", 5};

/// With the fields that L4D2 adds (EDF 0xB1): port, SteamID, keywords, GameID.
std::string encode(const Info& info);
std::optional<Info> decode(std::string_view packet);

struct ListedPlayer {
    std::string name;
    std::int32_t score = 0;
    float seconds = 0;
};
/// At most 255. All indices are 0, as in the game.
std::string encode(const std::vector<ListedPlayer>& players);
std::string encode(const std::vector<std::pair<std::string, std::string>>& rules);

/// What is sent of one answer: itself, or what it was split into. Splits once it is larger than `size`, which
/// the game sets to 1248; compressed, if wanted, with bzip2.
std::vector<std::string> datagrams(const std::string& answer, std::uint32_t id, std::size_t size,
                                   bool compressed);

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
