#include "operations/console.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "operations/view.hpp"

namespace left4me::operations {
namespace {

/// A change of map takes seconds.
constexpr std::chrono::seconds longest_command{15};
/// The game cuts longer lines.
constexpr std::size_t max_command = 510;

Error cannot(const std::string& server, const std::string& why) {
    return {ErrorKind::NotDone, fmt::format("the console of server/{} {}", server, why)};
}

bool is_line(const std::string& command) {
    const auto controls = [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; };
    return !command.empty() && command.size() <= max_command &&
           std::none_of(command.begin(), command.end(), controls);
}

}  // namespace

Result<Console> Console::open(Context& context, const std::string& server) {
    const auto view = observe(context);
    if (!view) return std::unexpected(view.error());
    const auto found = view->observed.servers.find(server);
    const bool is_known = view->desired().servers.contains(server) ||
                          (found != view->observed.servers.end() && found->second.managed);
    if (!is_known || found == view->observed.servers.end())
        return fail(ErrorKind::NotFound, fmt::format("server/{} is not there", server));
    const ObservedServer& observed = found->second;
    if (observed.unit.active != ActiveState::Active || !observed.mounted_port)
        return fail(ErrorKind::NotDone,
                    fmt::format("server/{} does not run; l4d2ctl start {}", server, server));
    if (observed.console_rendering.empty())
        return std::unexpected(
            cannot(server,
                   "has no password that left4me knows\n"
                   "  `rcon: {secret: NAME}` in the spec of its Blueprint gives it one, at its next "
                   "start"));
    Console console(rcon::Consoles(context.paths, rcon::user_of_games()),
                    {server, *observed.mounted_port, observed.console_rendering});
    if (auto connected = console.connect(); !connected) return std::unexpected(connected.error());
    return console;
}

Result<void> Console::connect() {
    auto session = consoles_.connect(game_);
    if (!session) return std::unexpected(cannot(game_.server, session.error()));
    session_.emplace(*std::move(session));
    return {};
}

Result<std::string> Console::run(const std::string& command) {
    if (!is_line(command))
        return fail(ErrorKind::InvalidArgument,
                    fmt::format("a command is one line of at most {} bytes", max_command));
    if (!session_) {
        if (auto connected = connect(); !connected) return std::unexpected(connected.error());
    }
    auto answer = rcon::ask(*session_, command, longest_command);
    if (answer) return *std::move(answer);
    session_.reset();
    if (answer.error() == rcon::Failure::Refused) consoles_.note_refusal(game_);
    return std::unexpected(cannot(game_.server, rcon::describe(answer.error())));
}

}  // namespace left4me::operations
