#include "probe/asker.hpp"

#include <algorithm>
#include <utility>

#include "reconciler/players.hpp"

namespace left4me::probe {
namespace {

/// Of one round. A game gives its challenge once, or twice if the one that we had was out of date.
constexpr unsigned max_challenges = 2;

constexpr std::uint32_t loopback = 0x7F000001;

/// As many people as that are known to be there; unknown: more than any number.
unsigned most_people(const std::optional<Answered>& answer, Time now) {
    constexpr unsigned unknown = 256;
    return answer && now - answer->asked <= max_age_of_empty ? people(*answer) : unknown;
}

}  // namespace

unsigned people(const Answered& answer) { return a2s::people(answer.info, answer.listed); }

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
        if (game.waits) give_up(game, now);
        if (game.due <= now) datagrams.push_back(ask(socket, game, now));
    }
    return datagrams;
}

/// It did not answer in time. A datagram may get lost, so what the game answers as a rule is asked again at
/// once, if no other round is to begin soon.
void Asker::give_up(Game& game, Time now) {
    game.waits = false;
    if (game.asks_players) ++game.unlisted;
    const bool answers = game.asks_players ? game.unlisted < max_unlisted : game.answer.has_value();
    if (!is_left(game, now) && ++game.tries < pace_.tries && answers) return;
    game.tries = 0;
    Time pause = interval(game, now);
    const bool is_new = !game.answer && now - game.watched.since < pace_.new_for;
    if (!game.asks_players && !is_new && !is_left(game, now)) {
        const unsigned doublings = std::min(game.unanswered++, 10U);
        pause =
            std::min(pause * (1U << doublings), game.answer ? pace_.longest_known : pace_.longest_unknown);
    }
    game.asks_players = false;
    game.due = game.asked + about(pause);
}

std::string Asker::question(const Game& game) {
    return game.asks_players ? a2s::players_question(game.challenge) : a2s::info_question(game.challenge);
}

Asker::Datagram Asker::ask(const Listening& socket, Game& game, Time now) {
    game.waits = true;
    game.sent = now;
    if (!game.asks_players && game.tries == 0) {
        game.asked = now;
        game.challenges = 0;
    }
    game.due = now + pace_.patience;
    return {reachable(socket.at), question(game)};
}

std::optional<Time> Asker::next() const {
    const auto first = std::min_element(games_.begin(), games_.end(), [](const auto& one, const auto& other) {
        return one.second.due < other.second.due;
    });
    return first == games_.end() ? std::nullopt : std::optional(first->second.due);
}

/// At most one is.
std::map<Listening, Asker::Game>::iterator Asker::reached_at(const Endpoint& from) {
    for (const Endpoint& at : {from, Endpoint{0, from.port}}) {
        const auto found = games_.lower_bound({at, 0});
        if (found != games_.end() && found->first.at == at && reachable(at) == from) return found;
    }
    return games_.end();
}

Asker::Heard Asker::heard(const Endpoint& from, std::string_view bytes, Time now) {
    const auto found = reached_at(from);
    if (found == games_.end() || !found->second.waits) return {};
    Game& game = found->second;
    if (bytes.size() > a2s::largest_datagram) return {};
    const auto whole = a2s::is_part(bytes) ? game.parts.add(bytes) : std::optional<std::string>();
    auto answer = a2s::parse_answer(whole ? *whole : bytes);
    if (!answer) return {};
    if (const auto* const challenge = std::get_if<a2s::Challenge>(&*answer)) {
        if (game.challenges == max_challenges) return {};
        ++game.challenges;
        game.challenge = *challenge;
        game.sent = now;
        return {.reply = Datagram{from, question(game)}};
    }
    if (auto* const info = std::get_if<a2s::Info>(&*answer))
        return game.asks_players ? Heard{} : heard_info(found->first, game, std::move(*info), now);
    return game.asks_players ? heard_players(game, std::get<a2s::Players>(std::move(*answer)), now) : Heard{};
}

Asker::Heard Asker::heard_info(const Listening& socket, Game& game, a2s::Info info, Time now) {
    game.unanswered = game.tries = 0;
    game.half = {.asked = game.asked, .info = std::move(info), .listed = 0, .took = now - game.sent};
    game.asks_players = true;
    const bool shows_somebody = people(game.half) > 0;
    // Until PLAYER is answered in this round, too, as many are there as it listed in the one before.
    if (shows_somebody && game.answer && game.unlisted == 0) game.half.listed = game.answer->listed;
    Heard heard;
    if (shows_somebody || game.unlisted >= max_unlisted) heard = know(game, now);
    heard.reply = ask(socket, game, now);
    return heard;
}

Asker::Heard Asker::heard_players(Game& game, a2s::Players players, Time now) {
    game.unlisted = game.tries = 0;
    game.half.listed = players.count;
    game.list = {.asked = game.asked, .players = std::move(players.list)};
    game.asks_players = game.waits = false;
    Heard heard = know(game, now);
    game.due = game.asked + about(interval(game, now));
    return heard;
}

Asker::Heard Asker::know(Game& game, Time now) const {
    const unsigned before = most_people(game.answer, now);
    game.answer = game.half;
    const bool fewer = most_people(game.answer, now) < before;
    if (fewer && people(*game.answer) == 0) game.left = now;
    return {.answered = true, .fewer = fewer, .awaited = is_left(game, now), .reply = {}};
}

bool Asker::is_left(const Game& game, Time now) const {
    return game.left > Time(0) && now - game.left < pace_.after_leaving;
}

Time Asker::interval(const Game& game, Time now) const {
    return is_left(game, now) ? pace_.interval_after_leaving : pace_.interval;
}

std::map<Listening, Answered> Asker::answers() const {
    std::map<Listening, Answered> all;
    for (const auto& [socket, game] : games_) {
        if (game.answer) all.emplace(socket, *game.answer);
    }
    return all;
}

std::map<Listening, Listed> Asker::lists() const {
    std::map<Listening, Listed> all;
    for (const auto& [socket, game] : games_) {
        if (game.list) all.emplace(socket, *game.list);
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
