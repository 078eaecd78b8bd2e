#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "adapters/rcon/exchange.hpp"
#include "adapters/rcon/variables.hpp"
#include "reconciler/tick.hpp"

namespace left4me::rcon {

/// Asks the consoles of games how fast they run, any number at the same time; never blocks, but for
/// read_due(). Each question is a line in the game's log.
class Ticks {
  public:
    Ticks(Paths paths, Consoles& consoles) : paths_(std::move(paths)), consoles_(consoles) {}

    /// These games, and no others, are asked every tick_pause, by poll(). What is known of them, by server:
    /// from whichever process asked last, and not long ago.
    std::map<std::string, ObservedTick> watch(const std::vector<Subject>& subjects);

    void poll();
    /// When poll() should be called again.
    std::vector<Readiness> readiness() const;
    /// Asks those of which nothing is known, and waits for the answers.
    void read_due();

  private:
    struct Watched {
        Subject subject;
        std::chrono::milliseconds due{};  ///< CLOCK_BOOTTIME
    };
    struct Round {
        Subject subject;
        std::chrono::milliseconds asked{};
        Exchange exchange;
    };

    Paths paths_;
    Consoles& consoles_;
    std::map<std::string, Watched> watched_;
    std::map<std::string, Round> rounds_;
};

}  // namespace left4me::rcon
