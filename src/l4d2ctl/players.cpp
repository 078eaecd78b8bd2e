#include "operations/players.hpp"

#include <fmt/format.h>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/server_view.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string server;
    std::string output = "table";
};

std::string state_text(const View& view, const std::string& name) {
    switch (operations::game_state(view, name)) {
        case operations::GameState::NotRunning:
            return "does not run";
        case operations::GameState::NoAnswer:
            return "no answer";
        case operations::GameState::Answers:
            break;
    }
    const auto age = operations::players_of(view, name)->age;
    return fmt::format("asked {} ago", operations::age_text(view.observed.now - age, view.observed.now));
}

std::string players_table(const View& view, const std::vector<std::string>& names, const Terminal& terminal) {
    std::vector<std::vector<Cell>> rows{heading({"NAME", "PLAYERS", "MAP", "ANSWER"})};
    for (const std::string& name : names) {
        const bool is_silent = operations::game_state(view, name) == operations::GameState::NoAnswer;
        rows.push_back({{name, Paint::Bold},
                        {operations::players_text(view, name)},
                        {operations::map_text(view, name)},
                        {state_text(view, name), is_silent ? Paint::Yellow : Paint::Plain}});
    }
    return table(rows, terminal);
}

/// Nothing for a game that lists nobody.
std::string list_table(const operations::PlayerList& list, const Terminal& terminal) {
    if (list.players.empty()) return "";
    std::vector<std::vector<Cell>> rows{heading({"PLAYER", "SCORE", "CONNECTED"})};
    for (const probes::PublishedPlayer& player : list.players) {
        const auto since = std::chrono::seconds(static_cast<std::int64_t>(player.seconds)) + list.age;
        rows.push_back({{player.name.empty() ? "(no name yet)" : player.name},
                        {std::to_string(player.score)},
                        {operations::age_text(TimePoint(), TimePoint() + since)}});
    }
    return "\n" + table(rows, terminal);
}

Result<Exit> players(Session& session, const Options& options) {
    std::vector<std::string> names;
    if (!options.server.empty()) {
        auto name = parse_server_name(options.server);
        if (!name) return std::unexpected(name.error());
        names.push_back(*std::move(name));
    }
    const auto view = begin_reading(session);
    if (!view) return std::unexpected(view.error());
    for (const std::string& name : names) {
        if (!operations::is_shown(*view, name))
            return fail(Exit::NotFound, fmt::format("server/{} is not there", name));
    }
    if (names.empty()) names = operations::shown_servers(*view);
    if (const std::string trouble = operations::probe_trouble(session); !trouble.empty())
        print_error("left4me-probe publishes nothing: " + trouble + "\n  systemctl status left4me-probe\n");
    const auto lists = operations::player_lists(session, *view, names);
    if (options.output == "json") {
        print(operations::json_text(operations::players_json(*view, names, &lists)));
        return Exit::Done;
    }
    print(players_table(*view, names, session.out));
    if (!options.server.empty() && !lists.empty()) print(list_table(lists.begin()->second, session.out));
    return Exit::Done;
}

}  // namespace

void add_players(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "players",
                 "Shows how many players are on each server, and the map; of one server, who they are",
                 "  l4d2ctl players\n  l4d2ctl players comp1 -o json",
                 [&session, options] { return players(session, *options); });
    verb.optional_argument("SERVER", options->server, "The server, with its players", Words::Servers);
    verb.option("-o,--output", options->output, "table or json", {"table", "json"});
}

}  // namespace left4me::ctl
