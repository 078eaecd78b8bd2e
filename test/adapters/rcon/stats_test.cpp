#include "adapters/rcon/stats.hpp"

#include <random>
#include <string>

#include "support/catch.hpp"

using namespace left4me::rcon;

namespace {

const std::string headings =
    "CPU    In_(KB/s)  Out_(KB/s)  Uptime  Map_changes  FPS      Players  Connects\n";
const std::string healthy =
    headings + "0.10   4.84       5.22        103     1            29.98    4        12\n\n";

}  // namespace

TEST_CASE("how fast a game runs is read by the names of the columns") {
    CHECK(parse_stats(healthy) == GameStats{.rate = 29.98, .players = 4});
    CHECK(parse_stats("CPU   In    Out   Uptime  Users   FPS    Players\n31.01  2.00  4.00       3     0   "
                      "59.94       9\n") == GameStats{.rate = 59.94, .players = 9});
}

TEST_CASE("lines of the log around the answer, and ends of lines as on Windows, do no harm") {
    const std::string log = "L 01/06/2025 - 00:03:30: rcon from \"192.0.2.1:55454\": command \"stats\"\n";
    CHECK(parse_stats(log + healthy + log) == GameStats{.rate = 29.98, .players = 4});
    std::string text;
    for (const char c : healthy) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
    CHECK(parse_stats(text) == GameStats{.rate = 29.98, .players = 4});
}

TEST_CASE("an answer that is not as the game writes it says nothing") {
    for (const char* const text :
         {"", "Unknown command \"stats\"\n", "CPU    In_(KB/s)  Out_(KB/s)  Uptime\n0.00   0.0",
          "CPU FPS Players\n", "CPU FPS Players", "CPU FPS Players\n\n", "CPU FPS Players\n0 30\n",
          "CPU FPS Players\n0 30 4 1\n", "CPU FPS Players\n0 nan 4\n", "CPU FPS Players\n0 inf 4\n",
          "CPU FPS Players\n0 -1 4\n", "CPU FPS Players\n0 30x 4\n", "CPU FPS Players\n0 1e9 4\n",
          "CPU FPS Players\n0 30 256\n", "CPU FPS Players\n0 30 -1\n", "CPU Players\n0 4\n",
          "CPU FPS\n0 30\n", "FPS Players\n30 4\n", "0 30 4\nCPU FPS Players\n"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_stats(text));
    }
    CHECK_FALSE(parse_stats(healthy + healthy));
}

TEST_CASE("no half of an answer is taken for another rate") {
    for (std::size_t size = 0; size < healthy.size(); ++size) {
        const auto stats = parse_stats(healthy.substr(0, size));
        // The last number may be cut; those that count are not.
        if (stats) CHECK(*stats == *parse_stats(healthy));
    }
}

TEST_CASE("no bytes do harm, however they are changed") {
    std::minstd_rand random(1);  // NOLINT(cert-msc51-cpp): the same bytes each time
    for (int round = 0; round < 20'000; ++round) {
        std::string text = healthy;
        for (int change = 0; change < 3; ++change)
            text[random() % text.size()] = static_cast<char>(random() % 256);
        const auto stats = parse_stats(text);
        if (stats) CHECK((stats->rate >= 0 && stats->rate <= 1e6 && stats->players <= 255));
    }
}
