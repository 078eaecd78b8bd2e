#include "reconciler/impact.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace left4me {
namespace {

/// What the action interrupts, or will; nullopt: nothing.
std::optional<Impact::Takes> taken_by(const Action& action) {
    switch (action.verb) {
        case Verb::Restart:
            return Impact::Takes::Restart;
        case Verb::Stop:
            return Impact::Takes::Stop;
        case Verb::Hold:
            if (!action.wait) return std::nullopt;
            return action.wait->what == WaitsFor::Person || action.code == HoldReason::Draining
                       ? Impact::Takes::Stop
                       : Impact::Takes::Restart;
        default:
            return std::nullopt;
    }
}

bool has(const Plan& plan, Verb verb, const Subject& subject) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const Action& action) {
        return action.verb == verb && action.subject == subject;
    });
}

const char* wait_text(WaitsFor what) {
    switch (what) {
        case WaitsFor::Empty:
            return "waits until empty";
        case WaitsFor::Window:
            return "waits for its window";
        case WaitsFor::NextStart:
            return "waits for its next start";
        case WaitsFor::Turn:
            return "waits for other servers";
        case WaitsFor::Canary:
            return "waits for the canary";
        case WaitsFor::Person:
            return "waits for an approval";
    }
    return "?";
}

std::string players_text(std::optional<unsigned> players) {
    if (!players) return "number of players unknown";
    return *players == 0 ? "nobody plays" : count_text(*players);
}

}  // namespace

const char* to_string(Impact::Takes takes) {
    switch (takes) {
        case Impact::Takes::Restart:
            return "Restart";
        case Impact::Takes::Reset:
            return "Reset";
        case Impact::Takes::Stop:
            return "Stop";
    }
    return "?";
}

const char* to_string(WaitsFor what) {
    switch (what) {
        case WaitsFor::Empty:
            return "Empty";
        case WaitsFor::Window:
            return "Window";
        case WaitsFor::NextStart:
            return "NextStart";
        case WaitsFor::Turn:
            return "Turn";
        case WaitsFor::Canary:
            return "Canary";
        case WaitsFor::Person:
            return "Person";
    }
    return "?";
}

std::vector<Impact> impacts_of(const Plan& plan, const Observed& observed) {
    std::vector<Impact> impacts;
    for (const Action& action : plan.actions) {
        const std::string& name = action.subject.name;
        auto takes = action.subject.kind == Kind::Server ? taken_by(action) : std::nullopt;
        const auto seen = observed.servers.find(name);
        if (!takes || seen == observed.servers.end() || seen->second.unit.active != ActiveState::Active)
            continue;
        // What comes now is planned before what waits.
        const bool is_known = std::any_of(impacts.begin(), impacts.end(),
                                          [&](const Impact& impact) { return impact.server == name; });
        if (is_known) continue;
        const bool comes_up = takes == Impact::Takes::Stop && has(plan, Verb::Start, action.subject);
        if (comes_up) takes = Impact::Takes::Restart;
        if (comes_up && has(plan, Verb::Purge, action.subject)) takes = Impact::Takes::Reset;
        const auto& players = seen->second.players;
        impacts.push_back(
            {name, *takes, players ? std::optional(players->count) : std::nullopt, action.wait});
    }
    return impacts;
}

std::string impact_text(const Impact& impact, const Observed& observed) {
    std::string verb = to_string(impact.takes);
    verb.front() = static_cast<char>(verb.front() | 0x20);
    std::string text = fmt::format("{} {}: {}, {}", verb, impact.server, players_text(impact.players),
                                   impact.wait ? wait_text(impact.wait->what) : "now");
    if (impact.wait && impact.wait->latest)
        text += ", at the latest " + local_text(observed.local, *impact.wait->latest, observed.now);
    return text;
}

}  // namespace left4me
