#include "adapters/rcon/kept_answers.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/rcon/kept_file.hpp"

namespace left4me::rcon {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 4096;

constexpr std::array<std::pair<ObservedConsole::State, const char*>, 3> states{{
    {ObservedConsole::State::Answered, "Answered"},
    {ObservedConsole::State::Silent, "Silent"},
    {ObservedConsole::State::Refused, "Refused"},
}};

const char* name_of(ObservedConsole::State state) {
    return std::find_if(states.begin(), states.end(), [&](const auto& one) { return one.first == state; })
        ->second;
}

std::optional<KeptAnswer> to_answer(const json& document) {
    const auto state = document.at("state").get<std::string>();
    const auto* const found =
        std::find_if(states.begin(), states.end(), [&](const auto& one) { return one.second == state; });
    if (found == states.end()) return std::nullopt;
    return KeptAnswer{.inode = document.at("inode").get<std::uint64_t>(),
                      .rendering = document.at("rendering").get<std::string>(),
                      .asked = std::chrono::milliseconds(document.at("asked").get<std::int64_t>()),
                      .state = found->first,
                      .humans = document.at("humans").get<unsigned>(),
                      .is_reserved = document.at("reserved").get<bool>()};
}

}  // namespace

std::expected<void, std::string> keep_answer(const Paths& paths, const std::string& server,
                                             const KeptAnswer& answer) {
    const json document{{"inode", answer.inode},         {"rendering", answer.rendering},
                        {"asked", answer.asked.count()}, {"state", name_of(answer.state)},
                        {"humans", answer.humans},       {"reserved", answer.is_reserved}};
    return keep_file(paths.consoles(), server, document);
}

std::set<std::string> servers_with_answers(const Paths& paths) {
    std::set<std::string> servers;
    std::error_code error;
    std::filesystem::directory_iterator files(paths.consoles(), error);
    for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
        if (files->path().extension() == kept_extension) servers.insert(files->path().stem().string());
    }
    return servers;
}

std::optional<KeptAnswer> kept_answer(const Paths& paths, const std::string& server) {
    return kept_file(paths.consoles(), server, max_text, to_answer);
}

}  // namespace left4me::rcon
