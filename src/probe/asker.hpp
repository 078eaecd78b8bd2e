#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/a2s/info.hpp"
#include "adapters/listening.hpp"

namespace left4me::probe {

using Time = std::chrono::milliseconds;  ///< of CLOCK_BOOTTIME

/// How often one game is asked. An address may send a game 3 queries a second (sv_max_queries_sec), averaged
/// over 30 s, and a question takes up to three: one to get a challenge, perhaps another because that was out
/// of date.
struct Pace {
    Time interval{3000};  ///< between two questions that are answered; up to a tenth more or less
    Time patience{1000};  ///< for an answer
    /// After questions without an answer: twice as long each time, until these.
    Time longest_known{6000};      ///< to a game that has answered before
    Time longest_unknown{30'000};  ///< to a socket that never has, such as one for SourceTV
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
    Time asked{};  ///< when its question was sent
    a2s::Info info;
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
        std::optional<Datagram> reply;  ///< the question again, with the challenge
    };
    /// Everything that is not the answer to a question to this very endpoint is ignored. Call it for all that
    /// has come before due(): a late answer would be taken for the answer to the next question.
    Heard heard(const Endpoint& from, std::string_view bytes, Time now);

    /// The latest answer of each game that has given one.
    std::map<Listening, Answered> answers() const;
    /// Those that are asked.
    std::map<Listening, Watched> watched() const;

    static constexpr Time max_unwatched{10'000};

  private:
    struct Game {
        Time due{};
        Time asked{};
        bool waits = false;  ///< for an answer
        unsigned unanswered = 0;
        unsigned challenges = 0;  ///< since the question
        std::optional<a2s::Challenge> challenge;
        std::optional<Answered> answer;
        Watched watched;
        std::size_t queued = 0;  ///< bytes that it had not read when it was looked at last
        bool missed = false;     ///< it was not in the table when that was read last
    };

    Datagram ask(const Listening& socket, Game& game, Time now);
    void give_up(Game& game);
    Time about(Time interval);

    Pace pace_;
    std::minstd_rand random_;
    std::map<Listening, Game> games_;
    std::optional<Time> looked_;
};

/// Where to send to reach a socket of this host.
Endpoint reachable(const Endpoint& listening);

}  // namespace left4me::probe
