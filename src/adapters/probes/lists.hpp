#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "adapters/paths.hpp"

namespace left4me::probes {

/// One whom a game lists. Nothing but his row in a table depends on it: the game may list anybody.
struct PublishedPlayer {
    std::string name;  ///< UTF-8 without control characters; empty while he is connecting
    std::int32_t score = 0;
    float seconds = 0;  ///< since he came; 0 or more

    bool operator==(const PublishedPlayer&) const = default;
};

struct PublishedList {
    std::string address;  ///< the one that the game listens on, "0.0.0.0"
    std::uint16_t port = 0;
    std::chrono::milliseconds asked{};  ///< of CLOCK_BOOTTIME
    std::vector<PublishedPlayer> players;
};

inline constexpr std::size_t max_listed = 64;       ///< players of one game; the others are left out
inline constexpr std::size_t max_name_bytes = 128;  ///< what is longer is cut

/// Beside the answers.
std::filesystem::path lists_file(const Paths& paths);

/// One JSON document, with names and numbers made harmless.
std::string to_text(const std::vector<PublishedList>& all);

/// Which players the games list, by port; of games that listen on the same port of different addresses, those
/// of one. The error is for a person.
std::expected<std::map<std::uint16_t, PublishedList>, std::string> read_lists(const Paths& paths);

}  // namespace left4me::probes
