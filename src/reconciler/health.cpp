#include "reconciler/health.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/grammars/duration.hpp"

namespace left4me {
namespace {

/// One of these fell silent because of itself.
constexpr std::chrono::seconds apart{60};
/// Five questions that a game has not answered may be the beginning of a silence.
constexpr std::chrono::seconds still_answers{15};

bool is_starting_up(const ObservedUnit& unit, const Health& health, TimePoint now) {
    if (!unit.active_since) return false;
    const auto up_for = now - *unit.active_since;
    // One that began in the future: the clock was set back.
    return up_for >= up_for.zero() && up_for < health.startup;
}

/// How many games stopped answering at about the same time, including those that do not count as Silent yet;
/// 0: some game answers, or it is the only one.
std::size_t silent_at_once(const Target& target, const Observed& observed) {
    std::size_t silent = 0;
    auto shortest = std::chrono::milliseconds::max();
    auto longest = std::chrono::milliseconds::zero();
    for (const auto& [name, server] : target.servers) {
        const auto seen = observed.servers.find(name);
        if (seen == observed.servers.end()) continue;
        const Response response = response_of(*server.spec, seen->second, observed);
        const auto& socket = seen->second.socket;
        if (!socket || (response != Response::Silent && response != Response::Answers)) continue;
        if (socket->silent <= still_answers) return 0;
        ++silent;
        shortest = std::min(shortest, socket->silent);
        longest = std::max(longest, socket->silent);
    }
    return silent >= 2 && longest - shortest <= apart ? silent : 0;
}

}  // namespace

Response response_of(const DesiredServer& desired, const ObservedServer& server, const Observed& observed) {
    if (server.unit.active != ActiveState::Active || !observed.is_probed || !server.mounted_port)
        return Response::Unknown;
    const auto& socket = server.socket;
    if (socket && socket->has_answered && socket->silent <= silent_after) return Response::Answers;
    if (is_starting_up(server.unit, desired.health, observed.now)) return Response::NotYet;
    return !socket || socket->silent > silent_after ? Response::Silent : Response::Unknown;
}

Silence judge_silence(const Health& health, const ObservedServer& server, const Target& target,
                      const Observed& observed) {
    const auto stays = [](std::string why) { return Silence{false, std::move(why)}; };
    if (!server.socket)
        return stays(fmt::format("no game that could be asked listens on port {}", *server.mounted_port));
    if (server.console && server.console->state == ObservedConsole::State::Answered)
        return stays("the game does not answer queries, but its console answers: it is not restarted");
    const auto& unread = server.socket->unread;
    if (!unread)
        return stays(
            "the game does not answer queries, but reads them: people may be playing, so it is not "
            "restarted");
    const std::string hangs = "the game neither answers queries nor reads them";
    const auto& longest = health.unresponsive;
    if (!longest) return stays(hangs + "; health.unresponsive of its Blueprint could have it restarted");
    if (const std::size_t others = silent_at_once(target, observed))
        return stays(
            fmt::format("{}, but all {} games fell silent at once: it is not restarted", hangs, others));
    if (*unread < *longest || server.socket->silent < *longest)
        return stays(fmt::format("{}; it is restarted after {} of that", hangs, duration_text(*longest)));
    return {true, fmt::format("{}, for at least {}", hangs, duration_text(*longest))};
}

}  // namespace left4me
