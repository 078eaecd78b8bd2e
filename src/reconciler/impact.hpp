#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reconciler/plan.hpp"

namespace left4me {

/// What a plan takes from those who play on a server that runs.
struct Impact {
    enum class Takes {
        Restart,
        Reset,  ///< a restart, and what the game has written
        Stop,
    };

    std::string server;
    Takes takes = Takes::Restart;
    std::optional<unsigned> players;  ///< nullopt: unknown
    std::optional<Wait> wait;         ///< nullopt: it comes now

    bool operator==(const Impact&) const = default;
};

/// "Restart", …: the text in JSON.
const char* to_string(Impact::Takes takes);
const char* to_string(WaitsFor what);

/// Of each server that is interrupted, now or later, in the order of the plan. `observed`: what the plan was
/// made from.
std::vector<Impact> impacts_of(const Plan& plan, const Observed& observed);

/// "restart comp1: 3 players, waits until empty, at the latest 06:00".
std::string impact_text(const Impact& impact, const Observed& observed);

}  // namespace left4me
