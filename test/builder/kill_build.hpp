#pragma once

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <functional>
#include <random>
#include <thread>

#include "support/catch.hpp"

namespace left4me {

inline void kill_build(pid_t pid) {
    ::kill(pid, SIGKILL);
    REQUIRE(::waitpid(pid, nullptr, 0) == pid);
}

/// Starts left4me-build so often, and kills it each time at some moment within `longest`.
inline void kill_builds(const std::function<pid_t()>& start, int times, std::chrono::milliseconds longest,
                        std::mt19937& random) {
    for (int kill = 0; kill < times; ++kill) {
        const pid_t pid = start();
        std::uniform_int_distribution<std::int64_t> moment(0, std::chrono::microseconds(longest).count());
        std::this_thread::sleep_for(std::chrono::microseconds(moment(random)));
        kill_build(pid);
    }
}

/// Starts it, and kills it as soon as `reached`.
inline void kill_build_when(const std::function<pid_t()>& start, const std::function<bool()>& reached) {
    const pid_t pid = start();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    bool met = reached();
    while (!met && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        met = reached();
    }
    kill_build(pid);
    REQUIRE(met);
}

}  // namespace left4me
