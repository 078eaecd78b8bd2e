#include "operations/console.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/line_editor.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string server;
    std::vector<std::string> command;
};

void show(const std::string& answer) {
    if (answer.empty()) return;
    print(answer + (answer.ends_with('\n') ? "" : "\n"));
}

/// In the game it would stop the server, with everybody on it; whoever types it here wants to leave.
bool leaves(const std::string& line) { return line == "exit" || line == "quit"; }

/// The next line: typed on a terminal, with what it begins with completed by the game, or sent by a program.
class Lines {
  public:
    Lines(operations::Console& console, const std::string& server) {
        if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) return;
        editor_.emplace(server + "> ", [&console](const std::string& beginning) {
            const auto answer = console.run("cvarlist " + beginning);
            return answer ? listed_names(*answer, beginning) : std::vector<std::string>();
        });
    }

    bool are_typed() const { return editor_.has_value(); }

    std::optional<std::string> next() {
        if (editor_) return editor_->read();
        std::string line;
        return std::getline(std::cin, line) ? std::optional(std::move(line)) : std::nullopt;
    }

  private:
    std::optional<LineEditor> editor_;
};

/// One command a line, until the end or `exit`.
Result<Exit> talk(operations::Console& console, const std::string& server) {
    Lines lines(console, server);
    Exit worst = Exit::Done;
    while (auto read = lines.next()) {
        std::string line = *std::move(read);
        const std::size_t begin = line.find_first_not_of(" \t");
        line = begin == std::string::npos ? std::string() : line.substr(begin);
        line.erase(line.find_last_not_of(" \t\r") + 1);
        if (line.empty()) continue;
        if (leaves(line)) return worst;
        const auto answer = console.run(line);
        if (answer) {
            show(*answer);
            (void)std::fflush(stdout);
        } else {
            const Failure failure = answer.error();
            print_error(failure.message + "\n");
            worst = failure.code;
        }
    }
    if (lines.are_typed()) print("\n");
    return worst;
}

Result<Exit> run_console(Session& session, const Options& options) {
    const auto name = parse_server_name(options.server);
    if (!name) return std::unexpected(name.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    auto console = operations::Console::open(session, *name);
    if (!console) return std::unexpected(console.error());
    if (options.command.empty()) return talk(*console, *name);
    const auto answer = console->run(fmt::format("{}", fmt::join(options.command, " ")));
    if (!answer) return std::unexpected(answer.error());
    show(*answer);
    return Exit::Done;
}

}  // namespace

void add_console(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "console", "Runs commands in the console of a game (RCON)",
                            "  sudo l4d2ctl console comp1 status\n"
                            "  sudo l4d2ctl console comp1 say the server restarts in a minute\n"
                            "  sudo l4d2ctl console comp1",
                            [&session, options] { return run_console(session, *options); });
    verb.argument("SERVER", options->server, "The server; its Blueprint must have `rcon`", Words::Servers);
    verb.arguments("COMMAND", options->command,
                   "What to run; without it, each line of standard input, until its end or `exit`",
                   Words::Nothing);
}

}  // namespace left4me::ctl
