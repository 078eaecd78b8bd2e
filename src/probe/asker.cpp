#include "probe/asker.hpp"

#include <algorithm>

#include "reconciler/players.hpp"

namespace left4me::probe {
namespace {

/// Of one question. A game gives its challenge once, or twice if the one that we had was out of date.
constexpr unsigned max_challenges = 2;

constexpr std::uint32_t loopback = 0x7F000001;

bool is_known_empty(const std::optional<Answered>& answer, Time now) {
    return answer && a2s::people(answer->info) == 0 && now - answer->asked <= max_age_of_empty;
}

}  // namespace

Endpoint reachable(const Endpoint& listening) {
    return {listening.address == 0 ? loopback : listening.address, listening.port};
}

bool Asker::listening(const std::set<Listening>& sockets, Time now) {
    std::map<Endpoint, unsigned> sharing;
    for (const Listening& socket : sockets) ++sharing[reachable(socket.at)];
    const auto is_alone = [&](const Listening& socket) { return sharing.at(reachable(socket.at)) == 1; };
    const std::size_t gone = std::erase_if(
        games_, [&](const auto& game) { return !sockets.contains(game.first) || !is_alone(game.first); });
    for (const Listening& socket : sockets) {
        if (!is_alone(socket)) continue;
        const auto [game, is_new] = games_.try_emplace(socket);
        if (is_new)
            game->second.due =
                now + Time(std::uniform_int_distribution<std::int64_t>(0, pace_.spread.count())(random_));
    }
    return gone > 0;
}

std::vector<Asker::Datagram> Asker::due(Time now) {
    std::vector<Datagram> datagrams;
    for (auto& [socket, game] : games_) {
        if (game.due > now) continue;
        if (game.waits) give_up(game);
        if (game.due <= now) datagrams.push_back(ask(socket, game, now));
    }
    return datagrams;
}

/// It did not answer in time. A datagram may get lost, so a game that answered the time before is asked again
/// at once.
void Asker::give_up(Game& game) {
    game.waits = false;
    game.challenge.reset();
    if (++game.unanswered == 1 && game.answer) return;
    const Time longest = game.answer ? pace_.longest_known : pace_.longest_unknown;
    const unsigned doublings = std::min(game.unanswered - 1, 10U);
    game.due = game.asked + about(std::min(pace_.interval * (1U << doublings), longest));
}

Asker::Datagram Asker::ask(const Listening& socket, Game& game, Time now) {
    game.waits = true;
    game.challenges = 0;
    game.asked = now;
    game.due = now + pace_.patience;
    return {reachable(socket.at), a2s::info_question(game.challenge)};
}

std::optional<Time> Asker::next() const {
    const auto first = std::min_element(games_.begin(), games_.end(), [](const auto& one, const auto& other) {
        return one.second.due < other.second.due;
    });
    return first == games_.end() ? std::nullopt : std::optional(first->second.due);
}

Asker::Heard Asker::heard(const Endpoint& from, std::string_view bytes, Time now) {
    const auto found = std::find_if(games_.begin(), games_.end(), [&](const auto& game) {
        return game.second.waits && reachable(game.first.at) == from;
    });
    if (found == games_.end()) return {};
    Game& game = found->second;
    auto answer = a2s::parse_answer(bytes);
    if (!answer) return {};
    if (const auto* const challenge = std::get_if<a2s::Challenge>(&*answer)) {
        if (game.challenges++ == max_challenges) return {};
        game.challenge = *challenge;
        return {.reply = Datagram{from, a2s::info_question(game.challenge)}};
    }
    const bool was_empty = is_known_empty(game.answer, now);
    game.answer = Answered{game.asked, std::get<a2s::Info>(std::move(*answer))};
    game.waits = false;
    game.unanswered = 0;
    game.due = game.asked + about(pace_.interval);
    return {.answered = true, .emptied = !was_empty && is_known_empty(game.answer, now), .reply = {}};
}

std::map<Listening, Answered> Asker::answers() const {
    std::map<Listening, Answered> all;
    for (const auto& [socket, game] : games_) {
        if (game.answer) all.emplace(socket, *game.answer);
    }
    return all;
}

Time Asker::about(Time interval) {
    const auto tenth = interval.count() / 10;
    return interval + Time(std::uniform_int_distribution<std::int64_t>(-tenth, tenth)(random_));
}

}  // namespace left4me::probe
