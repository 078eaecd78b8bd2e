#include "reconciler/players.hpp"

#include <fmt/format.h>

namespace left4me {

std::string count_text(unsigned count) { return fmt::format("{} player{}", count, count == 1 ? "" : "s"); }

std::string occupied_text(const ObservedConsole& console) {
    switch (console.state) {
        case ObservedConsole::State::Silent:
            return "the game's console does not say who is there, which counts as occupied";
        case ObservedConsole::State::Refused:
            return "the game's console refuses the password, which counts as occupied";
        case ObservedConsole::State::Answered:
            break;
    }
    if (console.is_reserved) return "a lobby has reserved the server";
    return count_text(console.humans);
}

}  // namespace left4me
