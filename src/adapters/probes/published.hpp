#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/paths.hpp"
#include "reconciler/players.hpp"

namespace left4me::probes {

/// What left4me-probe has heard from the games of this host: it writes it, and everybody else reads it. Times
/// are of CLOCK_BOOTTIME, which nobody can set.
struct Published {
    std::string address;  ///< the one that the game listens on, "0.0.0.0"
    std::uint16_t port = 0;
    std::chrono::milliseconds asked{};  ///< when the question of the latest answer was sent
    unsigned players = 0;
    unsigned max_players = 0;
    std::string map;
    std::chrono::milliseconds took{};  ///< from the question to the answer

    bool operator==(const Published&) const = default;
};

/// A socket that the probe asks.
struct Socket {
    std::uint16_t port = 0;
    std::chrono::milliseconds since{};  ///< it has been watched without interruption
    /// Since when its game has not read anything of what it was sent; nullopt: it reads.
    std::optional<std::chrono::milliseconds> unread;

    bool operator==(const Socket&) const = default;
};

struct Document {
    std::chrono::milliseconds looked{};  ///< when the probe has last seen the sockets of all games
    std::vector<Published> answers;
    std::vector<Socket> sockets;

    bool operator==(const Document&) const = default;
};

/// A host with more games than that is not probed completely.
inline constexpr std::size_t max_published = 1000;

/// One JSON document. At most max_published entries of each kind; the others are left out.
std::string to_text(const Document& document);
/// Errors: not such a document; more than max_published entries; a number outside its range.
std::expected<Document, std::string> parse(const std::string& text);

/// A document by ports. Games that listen on the same port of different addresses count as one: with the most
/// players, and the oldest answer; of their sockets, the one that was read last.
struct Known {
    std::chrono::milliseconds looked{};
    std::map<std::uint16_t, Published> answers;
    std::map<std::uint16_t, Socket> sockets;
};

/// The error is for a person: the probe does not run, or the file is broken.
std::expected<Known, std::string> read_known(const Paths& paths);

/// `now`: as since_boot() returned after the answers were read. An answer from the future has the largest
/// age.
ObservedPlayers observed(const Published& answer, std::chrono::milliseconds now);
/// nullopt: nothing that is asked listens on this port.
std::optional<ObservedSocket> observed_socket(const Known& known, std::uint16_t port,
                                              std::chrono::milliseconds now);
/// The probe does its work.
bool is_at_work(const Known& known, std::chrono::milliseconds now);

}  // namespace left4me::probes
