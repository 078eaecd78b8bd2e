#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "adapters/fd.hpp"
#include "proxy/destination.hpp"

namespace left4me::proxy {

/// What one script may take.
struct Limits {
    std::ptrdiff_t connections = 32;        ///< at a time; more wait
    std::uint64_t all = 10'000;             ///< connections in all
    std::uint64_t received = 32ULL << 30U;  ///< bytes from all destinations
    std::uint64_t sent = 1ULL << 30U;       ///< bytes to all destinations
    std::chrono::seconds head{10};          ///< until a client has said where to
    std::chrono::seconds connect{15};       ///< until an address answers
    std::chrono::seconds silence{120};      ///< of both sides
};

/// Called by several threads.
using Say = std::function<void(const std::string& line)>;

/// Serves each client that connects to `listener`, which is blocking, in a thread of its own. Returns when
/// the listener fails, and all threads have ended: why.
std::string serve(const Fd& listener, const Judge& judge, const Limits& limits, const Say& say);

}  // namespace left4me::proxy
