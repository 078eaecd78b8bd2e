#include "adapters/rcon/kept_cvars.hpp"

#include <nlohmann/json.hpp>
#include <system_error>

#include "adapters/files.hpp"

namespace left4me::rcon {
namespace {

using nlohmann::json;

/// 128 cvars, with what the game says of each.
constexpr std::size_t max_text = std::size_t{1} << 20U;

std::filesystem::path file_of(const Paths& paths, const std::string& server) {
    return paths.console_cvars() / (server + ".json");
}

}  // namespace

std::expected<void, std::string> keep_cvars(const Paths& paths, const std::string& server,
                                            const KeptCvars& cvars) {
    std::error_code error;
    std::filesystem::create_directories(paths.console_cvars(), error);
    if (error) return std::unexpected(errno_message(paths.console_cvars(), error.value()));
    json document{{"rendering", cvars.rendering},
                  {"start", cvars.start},
                  {"asked", cvars.asked.count()},
                  {"names", cvars.names}};
    if (cvars.said) {
        json& values = document["values"] = json::object();
        for (const auto& [name, value] : cvars.said->values) values[name] = value ? json(*value) : json();
    }
    // A game may send any bytes.
    return write_file(file_of(paths, server),
                      document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

std::optional<KeptCvars> kept_cvars(const Paths& paths, const std::string& server) {
    const auto text = read_file(file_of(paths, server), max_text);
    if (!text) return std::nullopt;
    try {
        const json document = json::parse(*text);
        KeptCvars cvars{.rendering = document.at("rendering").get<std::string>(),
                        .start = document.at("start").get<std::int64_t>(),
                        .asked = std::chrono::milliseconds(document.at("asked").get<std::int64_t>()),
                        .names = document.at("names").get<std::set<std::string>>()};
        if (!document.contains("values")) return cvars;
        cvars.said.emplace();
        for (const auto& [name, value] : document.at("values").items())
            cvars.said->values[name] =
                value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
        return cvars;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

}  // namespace left4me::rcon
