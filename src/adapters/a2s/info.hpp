#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// A2S_INFO, the query of server browsers: developer.valvesoftware.com/wiki/Server_queries. Pure: bytes in,
/// bytes out.
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

using Answer = std::variant<Challenge, Info>;

/// The largest datagram that is read; a game sends no larger one (its split size is 1248 bytes).
inline constexpr std::size_t largest_datagram = 1400;

/// One datagram. Without a challenge, the game answers with one.
std::string info_question(const std::optional<Challenge>& challenge = {});

/// nullopt: anything but one whole answer: truncated, larger than largest_datagram, split over several
/// datagrams (no INFO is that long), or of another kind. What follows the last known field is ignored.
std::optional<Answer> parse_answer(std::string_view datagram);

/// For tests. Texts end at their first NUL; without a port and keywords, the last fields are left out.
std::string encode(const Info& info);
std::string encode(const Challenge& challenge);

/// Players who may be human. INFO does not say whether its number of players contains the bots, so they count
/// as players, unless the game also says that it is `empty`.
unsigned people(const Info& info);

}  // namespace left4me::a2s
