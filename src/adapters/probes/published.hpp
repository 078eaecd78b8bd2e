#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
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

    bool operator==(const Published&) const = default;
};

/// A host with more games than that is not probed completely.
inline constexpr std::size_t max_published = 1000;

/// One JSON document. At most max_published entries; the others are left out.
std::string to_text(const std::vector<Published>& all);
/// Errors: not such a document; more than max_published entries; a number outside its range.
std::expected<std::vector<Published>, std::string> parse(const std::string& text);

/// What the games answered, by port. Games that listen on the same port of different addresses count as one:
/// with the most players, and the oldest answer. The error is for a person: the probe does not run, or the
/// file is broken.
using AnswersByPort = std::map<std::uint16_t, Published>;
std::expected<AnswersByPort, std::string> read_answers(const Paths& paths);

/// `now`: as since_boot() returned after the answers were read. An answer from the future has the largest
/// age.
ObservedPlayers observed(const Published& answer, std::chrono::milliseconds now);

}  // namespace left4me::probes
