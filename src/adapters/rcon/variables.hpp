#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/rcon/consoles.hpp"
#include "adapters/rcon/exchange.hpp"
#include "adapters/rcon/kept_cvars.hpp"
#include "adapters/readiness.hpp"

namespace left4me::rcon {

/// A game whose cvars are to be known.
struct Subject {
    Game game;
    std::int64_t start = 0;  ///< KeptCvars::start
    std::set<std::string> names;

    bool operator==(const Subject&) const = default;
};

/// Reads and sets the cvars of games over their consoles, of any number of games at the same time; never
/// blocks, but for read_due(). Each question is a line in the game's log, so they are few.
class Variables {
  public:
    Variables(Paths paths, Consoles& consoles) : paths_(std::move(paths)), consoles_(consoles) {}

    /// The cvars of these games, and of no others, are read now and then, by poll(). What is known of them,
    /// by server: from whichever process asked last, and not long ago.
    std::map<std::string, ObservedCvars> watch(const std::vector<Subject>& subjects);

    /// Sets them, and reads all that are watched; at most one such request for a game at a time. ended()
    /// tells of it. A cvar that the game does not take is not an error: watch() shows it.
    void set(const Game& game, const Cvars& cvars);
    std::map<std::string, std::expected<void, std::string>> ended() { return std::exchange(ended_, {}); }

    void poll();
    /// Whether watch() would say something else than the last time.
    bool drain() { return std::exchange(has_news_, false); }
    /// When poll() should be called again.
    std::vector<Readiness> readiness() const;
    /// Reads of which nothing is known, and waits for the answers.
    void read_due();

  private:
    struct Watched {
        Subject subject;
        std::chrono::milliseconds due{};  ///< CLOCK_BOOTTIME
    };
    struct Round {
        Subject subject;
        Exchange exchange;
        bool is_request = false;  ///< ended() is to tell of it
    };

    void begin(const Subject& subject, const Cvars& set, bool is_request);
    void keep(const Round& round, const std::expected<std::string, std::string>& printed);
    std::optional<KeptCvars> latest(const std::string& server) const;

    Paths paths_;
    Consoles& consoles_;
    std::map<std::string, Watched> watched_;
    std::map<std::string, Round> rounds_;
    std::map<std::string, KeptCvars> own_;
    std::map<std::string, std::expected<void, std::string>> ended_;
    bool has_news_ = false;
};

}  // namespace left4me::rcon
