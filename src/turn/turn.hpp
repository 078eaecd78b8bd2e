#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>

namespace left4me::turn {

using Time = std::chrono::milliseconds;

struct Settings {
    std::filesystem::path turns;  ///< a directory that is empty after a boot
    std::size_t most = 1;         ///< come up at the same time
    /// Nobody waits longer for one server: it may never answer.
    Time longest{60'000};
    Time gather{1000};    ///< everybody waits so long for others who come at the same time
    Time interval{1000};  ///< between two questions to a game, whose limit is 3 a second for all who ask
};

/// Blocks until fewer than `most` servers are coming up. Then records this server as coming up: it counts as
/// such until its game answers A2S_INFO on 127.0.0.1, until it starts again, or for `longest`. Those who wait
/// have their turns in the order of their names. Returns at once if the server has had its turn. `waits` is
/// called when it must wait for others who wait, with nothing, and when it is first and must wait for those
/// that are coming up, with their names; once each. A process that is killed while it waits holds up nobody.
std::expected<void, std::string> take_turn(const Settings& settings, const std::string& server,
                                           std::uint16_t port,
                                           const std::function<void(const std::string& others)>& waits);

}  // namespace left4me::turn
