#include "adapters/rcon/kept_ticks.hpp"

#include <nlohmann/json.hpp>
#include <system_error>

#include "adapters/files.hpp"

namespace left4me::rcon {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 4096;

std::filesystem::path file_of(const Paths& paths, const std::string& server) {
    return paths.console_ticks() / (server + ".json");
}

}  // namespace

std::expected<void, std::string> keep_tick(const Paths& paths, const std::string& server,
                                           const KeptTick& tick) {
    std::error_code error;
    std::filesystem::create_directories(paths.console_ticks(), error);
    if (error) return std::unexpected(errno_message(paths.console_ticks(), error.value()));
    json document{{"rendering", tick.rendering}, {"start", tick.start}, {"asked", tick.asked.count()}};
    if (tick.said) document["said"] = {{"rate", tick.said->rate}, {"players", tick.said->players}};
    return write_file(file_of(paths, server), document.dump() + "\n");
}

std::optional<KeptTick> kept_tick(const Paths& paths, const std::string& server) {
    const auto text = read_file(file_of(paths, server), max_text);
    if (!text) return std::nullopt;
    try {
        const json document = json::parse(*text);
        KeptTick tick{.rendering = document.at("rendering").get<std::string>(),
                      .start = document.at("start").get<std::int64_t>(),
                      .asked = std::chrono::milliseconds(document.at("asked").get<std::int64_t>())};
        if (!document.contains("said")) return tick;
        const json& said = document.at("said");
        tick.said =
            GameStats{.rate = said.at("rate").get<double>(), .players = said.at("players").get<unsigned>()};
        return tick;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

}  // namespace left4me::rcon
