#include "adapters/rcon/kept_answers.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "adapters/files.hpp"

namespace left4me::rcon {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 4096;
constexpr const char* extension = ".json";

constexpr std::array<std::pair<ObservedConsole::State, const char*>, 3> states{{
    {ObservedConsole::State::Answered, "Answered"},
    {ObservedConsole::State::Silent, "Silent"},
    {ObservedConsole::State::Refused, "Refused"},
}};

std::filesystem::path file_of(const Paths& paths, const std::string& server) {
    return paths.consoles() / (server + extension);
}

const char* name_of(ObservedConsole::State state) {
    return std::find_if(states.begin(), states.end(), [&](const auto& one) { return one.first == state; })
        ->second;
}

}  // namespace

std::expected<void, std::string> keep_answer(const Paths& paths, const std::string& server,
                                             const KeptAnswer& answer) {
    std::error_code error;
    std::filesystem::create_directories(paths.consoles(), error);
    if (error) return std::unexpected(errno_message(paths.consoles(), error.value()));
    const json document{{"inode", answer.inode},         {"rendering", answer.rendering},
                        {"asked", answer.asked.count()}, {"state", name_of(answer.state)},
                        {"humans", answer.humans},       {"reserved", answer.is_reserved}};
    return write_file(file_of(paths, server), document.dump() + "\n");
}

std::set<std::string> servers_with_answers(const Paths& paths) {
    std::set<std::string> servers;
    std::error_code error;
    std::filesystem::directory_iterator files(paths.consoles(), error);
    for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
        if (files->path().extension() == extension) servers.insert(files->path().stem().string());
    }
    return servers;
}

std::optional<KeptAnswer> kept_answer(const Paths& paths, const std::string& server) {
    const auto text = read_file(file_of(paths, server), max_text);
    if (!text) return std::nullopt;
    try {
        const json document = json::parse(*text);
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
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

}  // namespace left4me::rcon
