#include "adapters/rcon/kept_cvars.hpp"

#include "adapters/rcon/kept_file.hpp"

namespace left4me::rcon {
namespace {

using nlohmann::json;

/// 128 cvars, with what the game says of each.
constexpr std::size_t max_text = std::size_t{1} << 20U;

std::optional<KeptCvars> to_cvars(const json& document) {
    KeptCvars cvars{.rendering = document.at("rendering").get<std::string>(),
                    .start = document.at("start").get<std::int64_t>(),
                    .asked = std::chrono::milliseconds(document.at("asked").get<std::int64_t>()),
                    .names = document.at("names").get<std::set<std::string>>()};
    if (!document.contains("values")) return cvars;
    cvars.said.emplace();
    for (const auto& [name, value] : document.at("values").items())
        cvars.said->values[name] = value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
    return cvars;
}

}  // namespace

std::expected<void, std::string> keep_cvars(const Paths& paths, const std::string& server,
                                            const KeptCvars& cvars) {
    json document{{"rendering", cvars.rendering},
                  {"start", cvars.start},
                  {"asked", cvars.asked.count()},
                  {"names", cvars.names}};
    if (cvars.said) {
        json& values = document["values"] = json::object();
        for (const auto& [name, value] : cvars.said->values) values[name] = value ? json(*value) : json();
    }
    return keep_file(paths.console_cvars(), server, document);
}

std::optional<KeptCvars> kept_cvars(const Paths& paths, const std::string& server) {
    return kept_file(paths.console_cvars(), server, max_text, to_cvars);
}

}  // namespace left4me::rcon
