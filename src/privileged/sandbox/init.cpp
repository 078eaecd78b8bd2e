#include "privileged/sandbox/init.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

namespace left4me::sandbox {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds grace_period{10};

/// Reaps; false if no process is left.
bool has_children() {
    for (;;) {
        const pid_t ended = ::waitpid(-1, nullptr, WNOHANG);
        if (ended == 0) return true;
        if (ended < 0 && errno != EINTR) return false;
    }
}

/// Signals everything in the namespace except this process, kill(2).
void signal_all(int number) { (void)::kill(-1, number); }

}  // namespace

void be_init(int orders) {
    constexpr unsigned long unused = 0;
    (void)::prctl(PR_SET_NAME, "left4me-init", unused, unused, unused);
    // The game runs as the same user and must not access its memory and files.
    (void)::prctl(PR_SET_DUMPABLE, 0, unused, unused, unused);
    sigset_t children{};
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    (void)::sigprocmask(SIG_BLOCK, &children, nullptr);
    const int signals = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    std::array<pollfd, 2> watched{pollfd{orders, POLLIN, 0}, pollfd{signals, POLLIN, 0}};
    bool stopping = false;
    bool ending = false;
    Clock::time_point deadline{};
    for (;;) {
        int timeout = -1;
        if (ending) {
            if (!has_children()) ::_exit(0);
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            if (left.count() <= 0) ::_exit(0);
            timeout = static_cast<int>(left.count());
        }
        if (::poll(watched.data(), watched.size(), timeout) <= 0) continue;
        if (watched[1].revents != 0) {
            signalfd_siginfo told{};
            while (::read(signals, &told, sizeof(told)) > 0) {
            }
            (void)has_children();
        }
        if (watched[0].revents == 0) continue;
        unsigned char order = 0;
        const ssize_t got = ::read(orders, &order, 1);
        if (got == 0) ::_exit(0);
        if (got < 0) continue;
        if (order == game_has_ended) {
            ending = true;
            deadline = Clock::now() + grace_period;
            // Processes that were already told to stop are stopping; a second signal might interrupt them.
            if (!stopping) signal_all(SIGINT);
        } else {
            stopping = stopping || order == SIGINT || order == SIGTERM;
            signal_all(order);
        }
    }
}

}  // namespace left4me::sandbox
