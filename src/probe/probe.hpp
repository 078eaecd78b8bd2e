#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "adapters/paths.hpp"
#include "probe/asker.hpp"

namespace left4me::probe {

struct Settings {
    Paths paths;
    std::uint32_t user = 0;  ///< whose sockets are games
    std::filesystem::path sockets =
        "/proc/self/net/udp";  // the only name of it with ProcSubset=pid, systemd.exec(5)
    Pace pace = {};
};

/// Asks the games of this host how many players they have, and publishes what they answer. One socket, on the
/// loopback address; one thread.
class Probe {
  public:
    /// Opens everything that it needs later.
    static std::expected<std::unique_ptr<Probe>, std::string> open(Settings settings);
    Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    virtual ~Probe() = default;

    /// Takes in what has come, asks whom it is time to ask, and publishes; then waits until there is
    /// something to do, at most for `longest`. An error is fatal: without its files the probe is of no use.
    virtual std::expected<void, std::string> step(Time longest = Time(60'000)) = 0;
};

}  // namespace left4me::probe
