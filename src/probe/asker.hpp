#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
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
    /// reached at the same endpoint none is asked: nobody could tell which one answers. True: some are gone.
    bool listening(const std::set<Listening>& sockets, Time now);

    /// What to send now.
    std::vector<Datagram> due(Time now);
    /// When due() will have something to do; nullopt: there are no sockets.
    std::optional<Time> next() const;

    struct Heard {
        bool answered = false;
        bool emptied = false;           ///< it was not known to be empty before
        std::optional<Datagram> reply;  ///< the question again, with the challenge
    };
    /// Everything that is not the answer to a question to this very endpoint is ignored. Call it for all that
    /// has come before due(): a late answer would be taken for the answer to the next question.
    Heard heard(const Endpoint& from, std::string_view bytes, Time now);

    /// The latest answer of each game that has given one.
    std::map<Listening, Answered> answers() const;

  private:
    struct Game {
        Time due{};
        Time asked{};
        bool waits = false;  ///< for an answer
        unsigned unanswered = 0;
        unsigned challenges = 0;  ///< since the question
        std::optional<a2s::Challenge> challenge;
        std::optional<Answered> answer;
    };

    Datagram ask(const Listening& socket, Game& game, Time now);
    void give_up(Game& game);
    Time about(Time interval);

    Pace pace_;
    std::minstd_rand random_;
    std::map<Listening, Game> games_;
};

/// Where to send to reach a socket of this host.
Endpoint reachable(const Endpoint& listening);

}  // namespace left4me::probe
