#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "adapters/rcon/consoles.hpp"
#include "adapters/readiness.hpp"

namespace left4me::rcon {

/// One connection to a game's console, over which lines are sent one after another. Never blocks.
class Exchange {
  public:
    /// What the first `unheard` lines print is not wanted.
    Exchange(const Consoles& consoles, Game game, std::vector<std::string> lines, std::size_t unheard = 0);

    /// What the lines have printed, once it has all come; nullopt: not yet. The error is for people.
    std::optional<std::expected<std::string, std::string>> advance(Consoles& consoles);
    /// When advance() should be called again.
    Readiness readiness() const;

  private:
    Game game_;
    std::expected<Session, std::string> session_;
    std::vector<std::string> lines_;
    std::size_t sent_ = 0;
    std::size_t unheard_;
    std::string printed_;
};

}  // namespace left4me::rcon
