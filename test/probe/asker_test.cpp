#include "probe/asker.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::probe;
using std::chrono::milliseconds;

namespace {

constexpr Endpoint here{0x7F000001, 27015};

Listening game(std::uint16_t port, std::uint64_t inode = 1) { return {{0, port}, inode}; }

/// Sockets that hold nothing unread.
std::map<Listening, std::size_t> reading(const std::set<Listening>& sockets) {
    std::map<Listening, std::size_t> table;
    for (const Listening& socket : sockets) table.emplace(socket, 0);
    return table;
}

std::string info(std::uint8_t players) {
    a2s::Info info;
    info.map = "c1m1_hotel";
    info.players = players;
    info.max_players = 8;
    return a2s::encode(info);
}

const a2s::Challenge challenge{'a', 'b', 'c', 'd'};

/// Counts what each game is asked, and answers as it is told.
struct Net {
    Asker asker{Pace{}, 1};
    Time now{1'000'000};
    std::map<Endpoint, std::vector<Time>> asked;

    /// Lets time pass until then; `answer` returns the datagram for a question, or nothing.
    template <typename Answer>
    void until(Time end, Answer answer) {
        for (;;) {
            const auto next = asker.next();
            if (!next || *next > end) break;
            now = std::max(now, *next);
            std::deque<Asker::Datagram> sent;
            for (Asker::Datagram& question : asker.due(now)) sent.push_back(std::move(question));
            for (; !sent.empty(); sent.pop_front()) {
                asked[sent.front().to].push_back(now);
                const std::string bytes = answer(sent.front());
                if (bytes.empty()) continue;
                if (auto heard = asker.heard(sent.front().to, bytes, now); heard.reply)
                    sent.push_back(*std::move(heard.reply));
            }
        }
        now = end;
    }

    const Answered& answer_of(const Listening& socket) const {
        static Answered found;
        found = asker.answers().at(socket);
        return found;
    }
};

std::string list_of(unsigned players) {
    return a2s::encode(a2s::Players{players, std::vector<a2s::Player>(players, {"", 0, 1})});
}

bool asks_players(const Asker::Datagram& question) {
    return question.bytes.starts_with(a2s::players_question().substr(0, 5));
}

/// INFO counts so many, and PLAYER lists so many.
auto game_with(std::uint8_t counted, unsigned listed) {
    return [=](const Asker::Datagram& question) {
        if (question.bytes == a2s::info_question(challenge)) return info(counted);
        return question.bytes == a2s::players_question(challenge) ? list_of(listed) : a2s::encode(challenge);
    };
}

std::string as_the_game_does(const Asker::Datagram& question) { return game_with(3, 3)(question); }

/// The most questions in any window of 30 seconds.
std::size_t most_in_window(const std::vector<Time>& times) {
    std::size_t most = 0;
    for (auto first = times.begin(); first != times.end(); ++first) {
        const auto last = std::upper_bound(first, times.end(), *first + Time(30'000));
        most = std::max(most, static_cast<std::size_t>(last - first));
    }
    return most;
}

/// The game answers INFO and PLAYER: what each of them made known.
std::pair<Asker::Heard, Asker::Heard> next_round(Net& net, std::uint8_t players, Time pause) {
    net.now = std::max(net.now + pause, *net.asker.next());
    (void)net.asker.due(net.now);
    auto by_info = net.asker.heard(here, info(players), net.now);
    return {std::move(by_info), net.asker.heard(here, list_of(players), net.now)};
}

}  // namespace

TEST_CASE(
    "a game that answers is asked for INFO and PLAYER every three seconds or so, and gives its challenge "
    "once") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.until(net.now + Time(300'000), as_the_game_does);
    const auto& asked = net.asked.at(here);
    CHECK(asked.size() >= 180);
    CHECK(asked.size() <= 225);
    CHECK(net.answer_of(game(27015)).info.players == 3);
    CHECK(net.now - net.answer_of(game(27015)).asked <= Time(3300));
}

TEST_CASE("no game is asked more often than it allows, however it answers") {
    const auto silent = [](const Asker::Datagram&) { return std::string(); };
    const auto only_challenges = [](const Asker::Datagram&) { return a2s::encode(challenge); };
    int turn = 0;
    const auto changing = [&turn](const Asker::Datagram&) {
        return a2s::encode(a2s::Challenge{'a', 'b', 'c', static_cast<char>(++turn)});
    };
    const auto now_and_then = [&turn](const Asker::Datagram& question) {
        return ++turn % 3 == 0 ? as_the_game_does(question) : std::string();
    };
    const auto check = [](auto answer) {
        Net net;
        net.asker.listening(reading({game(27015)}), net.now);
        net.until(net.now + Time(300'000), as_the_game_does);
        net.until(net.now + Time(300'000), answer);
        CHECK(most_in_window(net.asked.at(here)) <= 66);  // of 90: others ask, too
    };
    const auto only_info = [](const Asker::Datagram& question) {
        return asks_players(question) ? std::string() : as_the_game_does(question);
    };
    check(only_info);
    check(silent);
    check(only_challenges);
    check(changing);
    check(now_and_then);
}

TEST_CASE("a game that everybody has left is asked four times as often for a while, within what it allows") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    const auto questions_until = [&](Time end, auto answer) {
        const std::size_t before = net.asked[here].size();
        net.until(end, answer);
        return net.asked.at(here).size() - before;
    };
    (void)questions_until(net.now + Time(60'000), game_with(3, 3));
    const std::size_t occupied = questions_until(net.now + Time(15'000), game_with(3, 3));
    (void)questions_until(net.now + Time(4000), game_with(0, 0));
    const std::size_t left = questions_until(net.now + Time(11'000), game_with(0, 0));
    CHECK(occupied <= 12);
    CHECK(left >= 26);
    CHECK(questions_until(net.now + Time(15'000), game_with(0, 0)) <= 18);
    // Somebody who comes and leaves all the time, while answers get lost.
    int round = 0;
    (void)questions_until(net.now + Time(300'000), [&](const Asker::Datagram& question) {
        const auto count = static_cast<std::uint8_t>(++round / 8 % 2);
        return round % 3 == 0 ? std::string() : game_with(count, count)(question);
    });
    CHECK(most_in_window(net.asked.at(here)) <= 90);
}

TEST_CASE("a socket that never answers is asked ever less often") {
    Net net;
    net.asker.listening(reading({game(27020)}), net.now);
    net.until(net.now + Time(600'000), [](const Asker::Datagram&) { return std::string(); });
    const std::vector<Time>& asked = net.asked.begin()->second;
    CHECK(asked.size() <= 45);
    CHECK(asked.back() - asked[asked.size() - 2] >= Time(27'000));
    CHECK(net.asker.answers().empty());
}

TEST_CASE("a game that has just started is asked on as often although what it said first got lost") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.until(net.now + Time(50'000), [](const Asker::Datagram&) { return std::string(); });
    net.until(net.now + Time(4000), as_the_game_does);
    CHECK(net.answer_of(game(27015)).info.players == 3);
}

TEST_CASE("an answer that gets lost when everybody has left is not waited for: another round begins") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.until(net.now + Time(10'000), game_with(3, 3));
    net.until(net.now + Time(4000), game_with(0, 0));
    const Time left = net.now;
    int questions = 0;
    net.until(net.now + Time(1700), [&questions](const Asker::Datagram& question) {
        return ++questions % 3 == 1 ? std::string() : game_with(0, 0)(question);
    });
    CHECK(net.now - net.answer_of(game(27015)).asked <= Time(1000));
    CHECK(net.answer_of(game(27015)).asked >= left);
}

TEST_CASE("an answer that gets lost is asked for again within a second") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.until(net.now + Time(10'000), as_the_game_does);
    bool lost = false;
    net.until(net.now + Time(5000), [&lost](const Asker::Datagram& question) {
        return std::exchange(lost, true) ? as_the_game_does(question) : std::string();
    });
    REQUIRE(lost);
    CHECK(net.now - net.answer_of(game(27015)).asked <= Time(4300));
}

TEST_CASE("a game that falls silent keeps its last answer with its age, and is asked on") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.until(net.now + Time(10'000), as_the_game_does);
    const Time last = net.answer_of(game(27015)).asked;
    net.until(net.now + Time(60'000), [](const Asker::Datagram&) { return std::string(); });
    CHECK(net.answer_of(game(27015)).asked == last);
    net.until(net.now + Time(7000), as_the_game_does);
    CHECK(net.now - net.answer_of(game(27015)).asked <= Time(7000));
}

TEST_CASE("datagrams that nobody asked for, from elsewhere, or without sense are ignored") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.now += Time(300);
    CHECK_FALSE(net.asker.heard(here, info(0), net.now).answered);
    REQUIRE(net.asker.due(net.now).size() == 1);
    for (const Endpoint& from : {Endpoint{0x7F000001, 27016}, Endpoint{0x7F000002, 27015}, Endpoint{0, 27015},
                                 Endpoint{0xC0000201, 27015}}) {
        CHECK_FALSE(net.asker.heard(from, info(0), net.now).answered);
        CHECK_FALSE(net.asker.heard(from, a2s::encode(challenge), net.now).reply);
    }
    CHECK_FALSE(net.asker.heard(here, "", net.now).answered);
    CHECK_FALSE(net.asker.heard(here, info(0).substr(0, 20), net.now).answered);
    CHECK(net.asker.answers().empty());
    CHECK_FALSE(net.asker.heard(here, list_of(0), net.now).answered);
    CHECK(net.asker.heard(here, info(2), net.now).answered);
    // The answer to a question counts once.
    CHECK_FALSE(net.asker.heard(here, info(0), net.now).answered);
    CHECK(net.asker.heard(here, list_of(1), net.now).answered);
    CHECK_FALSE(net.asker.heard(here, list_of(0), net.now).answered);
    CHECK(net.answer_of(game(27015)).info.players == 2);
}

TEST_CASE("of what INFO counts and what PLAYER lists, the larger number counts") {
    const auto people_of = [](std::uint8_t counted, unsigned listed) {
        Net net;
        net.asker.listening({{game(27015), 0}}, net.now);
        net.until(net.now + Time(10'000), game_with(counted, listed));
        return people(net.answer_of(game(27015)));
    };
    CHECK(people_of(0, 0) == 0);
    CHECK(people_of(3, 1) == 3);  // two are connecting
    CHECK(people_of(0, 2) == 2);  // it lies
    CHECK(people_of(8, 0) == 8);
}

TEST_CASE("INFO alone does not show that nobody plays, unless the game never answers PLAYER") {
    const auto without_players = [](const Asker::Datagram& question) {
        return asks_players(question) ? std::string() : game_with(0, 0)(question);
    };
    Net net;
    net.asker.listening({{game(27015), 0}}, net.now);
    net.until(net.now + Time(8000), without_players);
    CHECK(net.asker.answers().empty());
    net.until(net.now + Time(10'000), without_players);
    CHECK(people(net.answer_of(game(27015))) == 0);
    // It is asked on: from the first answer, its list counts again.
    net.until(net.now + Time(7000), game_with(0, 2));
    CHECK(people(net.answer_of(game(27015))) == 2);
    const Time last = net.answer_of(game(27015)).asked;
    net.until(net.now + Time(5000), without_players);
    CHECK(net.answer_of(game(27015)).asked <= last + Time(3300));
    // That somebody is there, it shows.
    net.until(net.now + Time(7000), [](const Asker::Datagram& question) {
        return asks_players(question) ? std::string() : game_with(1, 0)(question);
    });
    CHECK(people(net.answer_of(game(27015))) == 1);
}

TEST_CASE("a list that comes in parts, in any order and twice, is put together") {
    const std::string list = list_of(3);
    Net net;
    net.asker.listening({{game(27015), 0}}, net.now);
    net.now += Time(300);
    REQUIRE(net.asker.due(net.now).size() == 1);
    REQUIRE(net.asker.heard(here, info(3), net.now).reply);
    const auto part = [&](char number) {
        const std::size_t half = list.size() / 2;
        return std::string("\xFE\xFF\xFF\xFF\x01\0\0\0\x02", 9) + number + std::string("\xE0\x04", 2) +
               (number == 0 ? list.substr(0, half) : list.substr(half));
    };
    CHECK_FALSE(net.asker.heard({0x7F000001, 27016}, part(0), net.now).answered);
    CHECK_FALSE(net.asker.heard(here, part(1), net.now).answered);
    CHECK_FALSE(net.asker.heard(here, part(1), net.now).answered);
    CHECK(net.asker.heard(here, part(0), net.now).answered);
    CHECK(net.asker.lists().at(game(27015)).players.size() == 3);
    CHECK_FALSE(net.asker.heard(here, part(0), net.now).answered);
}

TEST_CASE("an answer is as old as its question") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.now += Time(300);
    (void)net.asker.due(net.now);
    CHECK(net.asker.heard(here, info(0), net.now + Time(500)).reply);
    CHECK(net.asker.heard(here, list_of(0), net.now + Time(600)).answered);
    CHECK(net.answer_of(game(27015)).asked == net.now);
}

TEST_CASE("a game that was started again has not answered yet") {
    Net net;
    net.asker.listening(reading({game(27015, 1)}), net.now);
    net.until(net.now + Time(10'000), as_the_game_does);
    REQUIRE(net.asker.answers().size() == 1);
    net.asker.listening(reading({game(27015, 2)}), net.now);
    CHECK(net.asker.answers().empty());
    net.until(net.now + Time(1000), as_the_game_does);
    CHECK(net.asker.answers().contains(game(27015, 2)));
    net.asker.listening({}, net.now);
    net.asker.listening({}, net.now);
    CHECK_FALSE(net.asker.next());
}

TEST_CASE("of sockets that are reached at the same place none is asked") {
    Net net;
    const Listening everywhere = game(27015, 1);
    const Listening loopback{here, 2};
    const Listening again = game(27015, 3);
    net.asker.listening(reading({everywhere}), net.now);
    net.until(net.now + Time(1000), as_the_game_does);
    REQUIRE(net.asker.answers().size() == 1);
    net.asker.listening(reading({everywhere, loopback}), net.now);
    CHECK(net.asker.answers().empty());
    CHECK_FALSE(net.asker.next());
    net.asker.listening(reading({everywhere, again}), net.now);
    CHECK_FALSE(net.asker.next());
    net.asker.listening(reading({again}), net.now);
    CHECK(net.asker.next());
}

TEST_CASE("a third of what is asked may get lost: who has left is known, and confirmed, within 15 s") {
    std::vector<Time> waits;
    for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
        std::minstd_rand random(seed);
        Net net;
        net.asker = Asker(Pace{}, seed);
        net.asker.listening(reading({game(27015)}), net.now);
        const auto with_losses = [&](std::uint8_t players) {
            return [&random, answer = game_with(players, players)](const Asker::Datagram& question) {
                return random() % 10 < 3 ? std::string() : answer(question);
            };
        };
        net.until(net.now + Time(60'000 + static_cast<int>(random() % 3000)), with_losses(3));
        // As the host adapter asks before a restart: an answer to a later question, which is young.
        const Time left = net.now;
        std::optional<Time> known;
        const auto shows_nobody = [&] {
            const auto answers = net.asker.answers();
            return !answers.empty() && people(answers.begin()->second) == 0;
        };
        const auto is_confirmed = [&] {
            if (!known) return false;
            const Time asked = net.answer_of(game(27015)).asked;
            return asked >= *known && net.now - asked <= Time(750);
        };
        while (!is_confirmed()) {
            net.until(net.now + Time(50), with_losses(0));
            if (!known && shows_nobody()) known = net.now;
        }
        waits.push_back(net.now - left);
    }
    std::sort(waits.begin(), waits.end());
    INFO("p50 " << waits[500].count() << " ms, p99 " << waits[990].count() << " ms");
    CHECK(waits[990] < Time(15'000));
    CHECK(waits[500] < Time(5000));
}

TEST_CASE("it is reported when players have left, or a game answers that was not known") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    const auto says = [&net](std::uint8_t players, Time pause) {
        const auto [by_info, by_list] = next_round(net, players, pause);
        return by_info.fewer || by_list.fewer;
    };
    CHECK(says(0, Time(0)));
    CHECK_FALSE(says(0, Time(0)));
    CHECK_FALSE(says(2, Time(0)));
    CHECK(says(1, Time(0)));
    CHECK(says(0, Time(0)));
    CHECK_FALSE(says(0, Time(0)));
    // An answer that is too old does not say how many there are.
    CHECK(says(0, Time(6000)));
}

TEST_CASE("what a game answers is awaited from when everybody has left for a while") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    const auto is_awaited = [&net](std::uint8_t players) {
        return next_round(net, players, Time(0)).second.awaited;
    };
    CHECK_FALSE(is_awaited(2));
    CHECK(is_awaited(0));
    CHECK(is_awaited(0));
    for (const Time until = net.now + Pace().after_leaving; net.now < until;) (void)is_awaited(0);
    CHECK_FALSE(is_awaited(0));
}

TEST_CASE("a game reads nothing while its queue never gets shorter") {
    Net net;
    const auto look = [&net](std::size_t queued) {
        net.now += Time(2000);
        net.asker.listening({{game(27015), queued}}, net.now);
        return net.asker.watched().at(game(27015)).unread;
    };
    CHECK_FALSE(look(0));
    const auto since = look(768);
    CHECK(since == net.now);
    CHECK(look(768) == since);
    CHECK(look(212992) == since);
    // A queue that is full all the time, but was shorter once, is read: a flood fills it.
    CHECK(look(212224) == net.now);
    CHECK_FALSE(look(0));
}

TEST_CASE("what the probe saw before a pause says nothing of the pause") {
    Net net;
    const auto look = [&net](Time pause) {
        net.now += pause;
        net.asker.listening({{game(27015), 768}}, net.now);
        return net.asker.watched().at(game(27015));
    };
    const Watched first = look(Time(2000));
    CHECK(look(Asker::max_unwatched).since == first.since);
    const Watched after = look(Asker::max_unwatched + Time(1));
    CHECK(after.since == net.now);
    CHECK(after.unread == net.now);
}

TEST_CASE("a socket that the kernel's table misses once is not forgotten") {
    Net net;
    net.asker.listening(reading({game(27015)}), net.now);
    net.until(net.now + Time(1000), as_the_game_does);
    net.asker.listening({}, net.now);
    CHECK(net.asker.answers().size() == 1);
    net.asker.listening(reading({game(27015)}), net.now);
    net.asker.listening({}, net.now);
    CHECK(net.asker.answers().size() == 1);
    net.asker.listening({}, net.now);
    CHECK(net.asker.answers().empty());
}

TEST_CASE("two hundred games are not all asked at once") {
    Net net;
    std::set<Listening> games;
    for (std::uint16_t port = 27000; port < 27200; ++port) games.insert(game(port, port));
    net.asker.listening(reading(games), net.now);
    std::size_t most = 0;
    for (Time step{}; step <= Time(300); step += Time(10))
        most = std::max(most, net.asker.due(net.now + step).size());
    CHECK(most <= 40);
}

TEST_CASE("how long a game took to answer is known, without the time for its challenge") {
    Asker asker(Pace{}, 1);
    asker.listening(reading({game(27015)}), Time(1'000'000));
    Time now = *asker.next();
    REQUIRE(asker.due(now).size() == 1);
    now += Time(40);
    REQUIRE(asker.heard(here, a2s::encode(challenge), now).reply);
    now += Time(33);
    REQUIRE(asker.heard(here, info(3), now).answered);
    CHECK(asker.answers().at(game(27015)).took == Time(33));
}
