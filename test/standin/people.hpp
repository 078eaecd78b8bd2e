#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace standin {

using Clock = std::chrono::steady_clock;

struct Person {
    std::string name;
    std::string steam_id;
    Clock::time_point came;
    Clock::time_point plays;  ///< until then he is connecting
    Clock::time_point leaves;
    int score = 0;

    bool is_playing(Clock::time_point now) const { return plays <= now; }
};

/// Who comes when, for a seed: groups that a lobby announces, that connect one after another, play and leave.
/// The same seed gives the same visits. Durations are means, in seconds.
struct Script {
    unsigned seed = 0;
    int quiet = 20;   ///< nobody is there
    int stay = 20;    ///< of one player
    int group = 4;    ///< at most so many
    int connect = 3;  ///< until a player is in the match
    int lobby = 0;    ///< reserved before the first one comes

    bool operator==(const Script&) const = default;
};

/// The humans on the server and on their way to it.
class People {
  public:
    /// Those whom somebody ordered: they stay until the order changes.
    void order(std::size_t playing, std::size_t connecting, bool reserved);
    void follow(const std::optional<Script>& script);

    /// Everybody leaves and comes as it is time to. True: somebody did, or a lobby reserved or let go.
    bool advance(Clock::time_point now);
    /// When advance() has something to do.
    std::optional<Clock::time_point> next() const;

    const std::vector<Person>& here() const { return here_; }
    bool is_reserved() const { return ordered_lobby_ || lobby_; }
    unsigned connects() const { return connects_; }

    /// One line for each who is there, `NAME for N ms, playing` or `connecting`, and one for a lobby.
    std::vector<std::string> roll(Clock::time_point now) const;

  private:
    struct Visit {
        Clock::time_point reserved;
        std::vector<Person> group;
    };

    void plan_visit(Clock::time_point from);
    Clock::duration about(int seconds);
    Person somebody(Clock::time_point comes);
    void place(std::vector<Person>& people, std::size_t wanted, bool playing, Clock::time_point now);

    std::size_t wanted_playing_ = 0, wanted_connecting_ = 0;
    bool ordered_lobby_ = false, lobby_ = false, was_reserved_ = false;
    Clock::time_point reserved_since_;
    std::vector<Person> playing_, connecting_;  ///< as ordered
    std::optional<Script> script_;
    bool is_new_ = false;
    std::minstd_rand random_;
    Visit visit_;
    std::vector<Person> here_;
    unsigned connects_ = 0;
};

}  // namespace standin
