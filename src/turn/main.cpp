// left4me-turn NAME MOST: a line of a server's unit, before its game starts; left4me's drop-in has it if a
// Host says startParallel. It runs as the game's user, and holds the start until the server's turn comes.
// Whatever goes wrong, the server starts: one that is slow is better than one that is not there.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "adapters/files.hpp"
#include "adapters/store/rendering.hpp"
#include "turn/turn.hpp"

namespace {

constexpr const char* runtime = "/var/lib/left4me/runtime";
constexpr const char* turns = "/run/left4me/turns";
constexpr std::size_t max_environment_bytes = 1U << 20U;

std::expected<void, std::string> run(const std::string& server, std::size_t most) {
    const std::filesystem::path file = std::filesystem::path(runtime) / server / "rendering/server.env";
    const auto environment = left4me::read_file(file, max_environment_bytes);
    if (!environment) return std::unexpected(environment.error());
    const auto port = left4me::store::port_in(*environment);
    if (!port) return std::unexpected(file.string() + " has no L4D2_PORT");
    const auto waits = [&](const std::string& others) {
        fmt::print(stderr, "left4me-turn: waits {}; startParallel is {}\n",
                   others.empty() ? "for its turn" : "until others have come up: " + others, most);
        std::fflush(stderr);
    };
    return left4me::turn::take_turn({.turns = turns, .most = most}, server, *port, waits);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view number = argc == 3 ? argv[2] : "";
    std::size_t most = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), most);
    if (error != std::errc{} || end != number.data() + number.size() || most == 0) {
        fmt::print(stderr, "usage: left4me-turn NAME MOST\n");
        return 2;
    }
    if (const auto done = run(argv[1], most); !done)
        fmt::print(stderr, "left4me-turn: the server starts without waiting for others: {}\n", done.error());
    return 0;
}
