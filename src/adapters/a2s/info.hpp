#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// A2S_INFO and A2S_PLAYER, the queries of server browsers: developer.valvesoftware.com/wiki/Server_queries.
/// Pure: bytes in, bytes out.
namespace left4me::a2s {

/// What a client must repeat before it gets an answer, so that nobody can have answers sent to others.
using Challenge = std::array<char, 4>;

struct Info {
    std::string name;
    std::string map;
    std::string folder;        ///< "left4dead2"
    std::string game;          ///< or what the server calls it
    std::uint16_t app = 0;     ///< 550
    std::uint8_t players = 0;  ///< those who are still connecting are counted
    std::uint8_t max_players = 0;
    std::uint8_t bots = 0;
    char type = 0;    ///< 'd': dedicated, 'l': a player's own game, 'p': SourceTV, which nobody plays on
    char system = 0;  ///< 'l', 'w' or 'm'
    bool password = false;
    bool secure = false;
    std::string version;
    std::optional<std::uint16_t> port;
    std::string keywords;  ///< separated by commas

    bool operator==(const Info&) const = default;
};

/// The largest datagram that is read; a game sends no larger one (its split size is 1248 bytes).
inline constexpr std::size_t largest_datagram = 1400;

inline constexpr std::string_view info_header = "\xFF\xFF\xFF\xFF\x49";
inline constexpr std::string_view players_header = "\xFF\xFF\xFF\xFF\x44";

/// One datagram. Without a challenge, the game answers with one.
std::string info_question(const std::optional<Challenge>& challenge = {});

/// What follows the header. nullopt: it is truncated, or too large for one datagram, as no INFO is. What
/// follows the last known field is ignored.
std::optional<Info> parse_info(std::string_view bytes);

/// For tests. Texts end at their first NUL; without a port and keywords, the last fields are left out.
std::string encode(const Info& info);

/// Players who may be human; `listed`: how many PLAYER lists, which may be fewer than INFO counts (those who
/// are connecting), or more (a server that lies). INFO does not say whether its number of players contains
/// the bots, so they count as players, unless the game also says that it is `empty`.
unsigned people(const Info& info, unsigned listed = 0);

}  // namespace left4me::a2s
