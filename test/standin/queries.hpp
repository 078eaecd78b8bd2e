#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "console.hpp"
#include "descriptor.hpp"
#include "people.hpp"

namespace standin {

/// How many queries the game answers: so many of one address and of all, on average over a window that begins
/// with the first. Everything above is dropped without a word. (sv_ipratelimit.cpp of the Source SDK.)
class RateLimit {
  public:
    struct Limits {
        int each = 0;  ///< a second; 0: any number
        int all = 0;
        int window = 30;
    };
    bool allows(std::uint32_t address, const Limits& limits, Clock::time_point now);

  private:
    struct Count {
        Clock::time_point since;
        long queries = 0;
        bool add(int limit, int window, Clock::time_point now);
    };
    std::map<std::uint32_t, Count> each_;
    Count all_;
};

/// Answers A2S queries on one socket, through a network that loses, delays and forges as much as the
/// console's variables say.
class Queries {
  public:
    Queries(Console& console, Descriptor socket, int port)
        : console_(console), socket_(std::move(socket)), port_(port) {}

    int socket() const { return socket_.get(); }
    /// Takes in what has come, and sends what is due.
    void answer();
    void send_due(Clock::time_point now);
    /// When send_due() has something to do.
    std::optional<Clock::time_point> next() const;

  private:
    std::optional<std::string> answer_to(std::string_view query, const sockaddr_in& asker);
    std::string info() const;
    std::string players() const;
    std::string rules() const;
    bool is_lost();
    void forge(const sockaddr_in& asker, const std::string& answer);

    Console& console_;
    Descriptor socket_;
    Descriptor forger_;
    int port_;
    RateLimit limit_;
    std::minstd_rand random_{std::random_device{}()};
    std::uint32_t answers_ = 0;
    std::multimap<Clock::time_point, std::pair<sockaddr_in, std::string>> waiting_;
};

}  // namespace standin
