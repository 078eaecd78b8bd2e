#include "probe/asker.hpp"

#include <algorithm>

#include "reconciler/players.hpp"

namespace left4me::probe {
namespace {

/// Of one question. A game gives its challenge once, or twice if the one that we had was out of date.
constexpr unsigned max_challenges = 2;

constexpr std::uint32_t loopback = 0x7F000001;

/// As many people as that are known to be there; unknown: more than any number.
unsigned most_people(const std::optional<Answered>& answer, Time now) {
    constexpr unsigned unknown = 256;
    return answer && now - answer->asked <= max_age_of_empty ? a2s::people(answer->info) : unknown;
}

}  // namespace

Endpoint reachable(const Endpoint& listening) {
    return {listening.address == 0 ? loopback : listening.address, listening.port};
}

void Asker::listening(const std::map<Listening, std::size_t>& sockets, Time now) {
    const bool was_away = !looked_ || now - *looked_ > max_unwatched;
    looked_ = now;
    std::map<Endpoint, unsigned> sharing;
    for (const auto& [socket, queued] : sockets) ++sharing[reachable(socket.at)];
    // The kernel prints its table in parts: a socket that is there may be missing once when others come or
    // go.
    std::erase_if(games_, [&](const auto& game) {
        const auto at = sharing.find(reachable(game.first.at));
        if (sockets.contains(game.first)) return at->second > 1;
        return at != sharing.end() || game.second.missed;
    });
    for (auto& [socket, game] : games_) game.missed = true;
    for (const auto& [socket, queued] : sockets) {
        if (sharing.at(reachable(socket.at)) > 1) continue;
        const auto [found, is_new] = games_.try_emplace(socket);
        Game& game = found->second;
        if (is_new)
            game.due =
                now + Time(std::uniform_int_distribution<std::int64_t>(0, pace_.spread.count())(random_));
        if (is_new || was_away) game.watched = {.since = now, .unread = {}};
        game.missed = false;
        if (queued == 0) {
            game.watched.unread.reset();
        } else if (!game.watched.unread || queued < game.queued) {
            game.watched.unread = now;
        }
        game.queued = queued;
    }
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
    const unsigned before = most_people(game.answer, now);
    game.answer = Answered{game.asked, std::get<a2s::Info>(std::move(*answer))};
    game.waits = false;
    game.unanswered = 0;
    game.due = game.asked + about(pace_.interval);
    return {.answered = true, .fewer = most_people(game.answer, now) < before, .reply = {}};
}

std::map<Listening, Answered> Asker::answers() const {
    std::map<Listening, Answered> all;
    for (const auto& [socket, game] : games_) {
        if (game.answer) all.emplace(socket, *game.answer);
    }
    return all;
}

std::map<Listening, Watched> Asker::watched() const {
    std::map<Listening, Watched> all;
    for (const auto& [socket, game] : games_) all.emplace(socket, game.watched);
    return all;
}

Time Asker::about(Time interval) {
    const auto tenth = interval.count() / 10;
    return interval + Time(std::uniform_int_distribution<std::int64_t>(-tenth, tenth)(random_));
}

}  // namespace left4me::probe
