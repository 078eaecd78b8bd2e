#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/a2s/answer.hpp"
#include "adapters/a2s/split.hpp"
#include "adapters/listening.hpp"

namespace left4me::probe {

using Time = std::chrono::milliseconds;  ///< of CLOCK_BOOTTIME

/// How often one game is asked. An address may send a game 3 queries a second (sv_max_queries_sec), averaged
/// over 30 s. A round takes two, INFO and PLAYER; each is asked again when it gets lost, and up to two more
/// are to get a challenge.
struct Pace {
    Time interval{3000};  ///< between two rounds; up to a tenth more or less
    /// The same, for so long after everybody has left: a restart may wait for that, and needs one round more
    /// without a loss. What gets lost is not asked again in these rounds: the next one comes soon, and its
    /// answer is younger.
    Time interval_after_leaving{750};
    Time after_leaving{15'000};
    Time patience{700};  ///< for an answer
    unsigned tries = 3;  ///< of a question that the game has answered before
    /// After rounds without an answer: twice as long each time, until these.
    Time longest_known{6000};      ///< to a game that has answered before
    Time longest_unknown{30'000};  ///< to a socket that never has, such as one for SourceTV
    Time new_for{60'000};          ///< such a socket is asked as often as others for so long
    Time spread{300};              ///< new sockets are asked within this time
};

/// A socket that has been listed in the kernel's table since then.
struct Watched {
    Time since{};
    /// Since when it has been seen to hold something that its game has not read, and never to hold less than
    /// the time before. nullopt: the game reads.
    std::optional<Time> unread;
};

struct Answered {
    Time asked{};  ///< when the first question of the round was sent
    a2s::Info info;
    unsigned listed = 0;  ///< by PLAYER
    Time took{};          ///< from the last question for INFO to its answer
};

/// Who may be human.
unsigned people(const Answered& answer);

struct Listed {
    Time asked{};
    std::vector<a2s::Player> players;
};

/// Decides whom to ask when, and takes the answers. Pure: the caller passes datagrams and the time.
class Asker {
  public:
    struct Datagram {
        Endpoint to;
        std::string bytes;
    };

    Asker(Pace pace, std::uint32_t seed) : pace_(pace), random_(seed) {}

    /// Sockets that are new are asked soon, and those that are gone are forgotten. Of several that are
    /// reached at the same endpoint none is asked: nobody could tell which one answers. Call it every few
    /// seconds: what was seen before a longer pause (max_unwatched) says nothing of what happened in it.
    void listening(const std::map<Listening, std::size_t>& sockets, Time now);

    /// What to send now.
    std::vector<Datagram> due(Time now);
    /// When due() will have something to do; nullopt: there are no sockets.
    std::optional<Time> next() const;

    struct Heard {
        bool answered = false;
        bool fewer = false;             ///< people than were known to be there; it may have become empty
        bool awaited = false;           ///< everybody has left just now, and a restart may wait for that
        std::optional<Datagram> reply;  ///< the question again, with the challenge
    };
    /// Everything that is not the answer to a question to this very endpoint is ignored. Call it for all that
    /// has come before due(): a late answer would be taken for the answer to the next question.
    Heard heard(const Endpoint& from, std::string_view bytes, Time now);

    /// The latest answer of each game that has given one. INFO alone says that somebody is there; that nobody
    /// is, it does only together with PLAYER, or if PLAYER has remained unanswered for max_unlisted times.
    std::map<Listening, Answered> answers() const;
    /// The latest answer to PLAYER of each.
    std::map<Listening, Listed> lists() const;

    static constexpr unsigned max_unlisted = 12;
    /// Those that are asked.
    std::map<Listening, Watched> watched() const;

    static constexpr Time max_unwatched{10'000};

  private:
    struct Game {
        Time due{};
        Time asked{};
        Time sent{};                ///< when the last question was
        bool waits = false;         ///< for an answer
        bool asks_players = false;  ///< INFO has been answered in this round
        unsigned tries = 0;         ///< of this question, without an answer
        unsigned unanswered = 0;    ///< rounds without an answer to INFO, in a row
        unsigned unlisted = 0;      ///< questions for PLAYER without an answer, in a row
        unsigned challenges = 0;    ///< in this round
        Time left{};                ///< when everybody had left; 0: never
        std::optional<a2s::Challenge> challenge;
        a2s::Parts parts;
        Answered half;  ///< of this round: what INFO has said
        std::optional<Answered> answer;
        std::optional<Listed> list;
        Watched watched;
        std::size_t queued = 0;  ///< bytes that it had not read when it was looked at last
        bool missed = false;     ///< it was not in the table when that was read last
    };

    std::map<Listening, Game>::iterator reached_at(const Endpoint& from);
    Datagram ask(const Listening& socket, Game& game, Time now);
    static std::string question(const Game& game);
    void give_up(Game& game, Time now);
    Heard heard_info(const Listening& socket, Game& game, a2s::Info info, Time now);
    Heard heard_players(Game& game, a2s::Players players, Time now);
    Heard know(Game& game, Time now) const;
    /// Everybody has left just now.
    bool is_left(const Game& game, Time now) const;
    /// Between two rounds.
    Time interval(const Game& game, Time now) const;
    Time about(Time interval);

    Pace pace_;
    std::minstd_rand random_;
    std::map<Listening, Game> games_;
    std::optional<Time> looked_;
};

/// Where to send to reach a socket of this host.
Endpoint reachable(const Endpoint& listening);

}  // namespace left4me::probe
