// probe_bench [GAMES [SECONDS]]: what left4me-probe costs while it asks games on the loopback address, each
// with a player, a sixth of whose datagrams get lost in each direction, and who with each answer send a
// forged and a broken one.
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "adapters/a2s/info.hpp"
#include "adapters/a2s/players.hpp"
#include "probe/probe.hpp"

namespace {

using namespace left4me;
namespace fs = std::filesystem;

constexpr int first_port = 27000;

sockaddr_in address_of(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

/// Plays all games, for ever.
[[noreturn]] void play(const std::vector<pollfd>& games) {
    std::minstd_rand random(20261130);
    const auto is_lost = [&random] { return random() % 6 == 0; };
    a2s::Info info;
    info.players = 1;
    info.max_players = 8;
    info.map = "c1m1_hotel";
    const std::string here = a2s::encode(info);
    const std::string list = a2s::encode(a2s::Players{1, {{"somebody", 3, 60}}});
    const std::string players = a2s::players_question().substr(0, 5);
    std::vector<pollfd> awaited = games;
    for (;;) {
        (void)::poll(awaited.data(), awaited.size(), -1);
        for (const pollfd& game : awaited) {
            if (game.revents == 0) continue;
            std::string question(64, '\0');
            sockaddr_in from{};
            socklen_t length = sizeof from;
            const ssize_t got =
                ::recvfrom(game.fd, question.data(), question.size(), MSG_DONTWAIT, generic(from), &length);
            if (got <= 0 || is_lost()) continue;
            const std::string& answer = question.starts_with(players) ? list : here;
            const auto send = [&](int socket, const std::string& bytes) {
                (void)::sendto(socket, bytes.data(), bytes.size(), MSG_DONTWAIT, generic(from), length);
            };
            if (!is_lost()) send(game.fd, answer);
            send(games.front().fd, answer);
            send(game.fd, answer.substr(0, 6));
        }
    }
}

std::vector<pollfd> open_games(int count) {
    std::vector<pollfd> games;
    for (int i = 0; i < count; ++i) {
        const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in at = address_of(first_port + i);
        if (socket < 0 || ::bind(socket, generic(at), sizeof at) != 0) return {};
        games.push_back({.fd = socket, .events = POLLIN, .revents = 0});
    }
    return games;
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::atoi(argv[1]) : 200;
    const int length = argc > 2 ? std::atoi(argv[2]) : 30;
    const std::vector<pollfd> games = open_games(count);
    if (games.empty()) {
        fmt::print(stderr, "probe_bench: no {} free ports from {}\n", count, first_port);
        return 1;
    }
    const pid_t pid = ::fork();
    if (pid == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        play(games);
    }
    for (const pollfd& game : games) ::close(game.fd);
    const fs::path directory = fs::temp_directory_path() / fmt::format("probe_bench.{}", ::getpid());
    probe::Settings settings{.paths = {}, .user = ::getuid()};
    settings.paths.run = directory;
    const auto asking = probe::Probe::open(settings);
    if (!asking) {
        fmt::print(stderr, "probe_bench: {}\n", asking.error());
        return 1;
    }
    using Clock = std::chrono::steady_clock;
    const auto step_until = [&](Clock::time_point end) {
        while (Clock::now() < end) {
            if (!(*asking)->step(probe::Time(100))) std::abort();
        }
    };
    step_until(Clock::now() + std::chrono::seconds(5));
    rusage before{};
    rusage after{};
    (void)::getrusage(RUSAGE_SELF, &before);
    const auto begun = Clock::now();
    step_until(begun + std::chrono::seconds(length));
    (void)::getrusage(RUSAGE_SELF, &after);
    const std::chrono::duration<double> took = Clock::now() - begun;
    const double user = seconds(after.ru_utime) - seconds(before.ru_utime);
    const double kernel = seconds(after.ru_stime) - seconds(before.ru_stime);
    fmt::print(
        "{} games, {:.0f} s: {:.2f} % of a core ({:.2f} % in the kernel); {:.0f} times a second woken\n",
        count, took.count(), 100 * (user + kernel) / took.count(), 100 * kernel / took.count(),
        static_cast<double>(after.ru_nvcsw - before.ru_nvcsw) / took.count());
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    fs::remove_all(directory);
}
