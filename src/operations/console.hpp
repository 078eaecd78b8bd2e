#pragma once

#include <optional>
#include <string>

#include "adapters/rcon/consoles.hpp"
#include "operations/context.hpp"

namespace left4me::operations {

/// A running game's console, for a person.
class Console {
  public:
    /// NotFound: no such server. NotDone: it does not run, its blueprint has no `rcon`, or the console cannot
    /// be reached; the message says what to do.
    static Result<Console> open(Context& context, const std::string& server);

    /// What the game says, unchanged: it may contain anything. NotDone: the game did not answer; the next
    /// command makes a new connection. InvalidArgument: the command is empty, or not one short line.
    Result<std::string> run(const std::string& command);

  private:
    Console(rcon::Consoles consoles, rcon::Game game)
        : consoles_(std::move(consoles)), game_(std::move(game)) {}

    Result<void> connect();

    rcon::Consoles consoles_;
    rcon::Game game_;
    std::optional<rcon::Session> session_;
};

}  // namespace left4me::operations
