#include "adapters/rcon/kept_ticks.hpp"

#include "adapters/rcon/kept_file.hpp"

namespace left4me::rcon {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 4096;

std::optional<KeptTick> to_tick(const json& document) {
    KeptTick tick{.rendering = document.at("rendering").get<std::string>(),
                  .start = document.at("start").get<std::int64_t>(),
                  .asked = std::chrono::milliseconds(document.at("asked").get<std::int64_t>())};
    if (!document.contains("said")) return tick;
    const json& said = document.at("said");
    tick.said =
        GameStats{.rate = said.at("rate").get<double>(), .players = said.at("players").get<unsigned>()};
    return tick;
}

}  // namespace

std::expected<void, std::string> keep_tick(const Paths& paths, const std::string& server,
                                           const KeptTick& tick) {
    json document{{"rendering", tick.rendering}, {"start", tick.start}, {"asked", tick.asked.count()}};
    if (tick.said) document["said"] = {{"rate", tick.said->rate}, {"players", tick.said->players}};
    return keep_file(paths.console_ticks(), server, document);
}

std::optional<KeptTick> kept_tick(const Paths& paths, const std::string& server) {
    return kept_file(paths.console_ticks(), server, max_text, to_tick);
}

}  // namespace left4me::rcon
