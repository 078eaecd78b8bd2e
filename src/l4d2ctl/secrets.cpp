#include "operations/secrets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>

#include "adapters/files.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string what;
    std::string name;
    std::string output = "table";
};

/// What is typed is not shown while this exists.
class NoEcho {
  public:
    NoEcho() {
        if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    ~NoEcho() {
        if (changed_) (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;

  private:
    termios before_{};
    bool changed_ = false;
};

/// One line that a person types unseen, or all of what a program sends.
Result<std::string> read_text(const std::string& name) {
    if (::isatty(STDIN_FILENO) == 1) {
        print_error(fmt::format("The secret {} (one line, not shown):", name));
        const NoEcho unseen;
        // A terminal hands over a line at a time.
        std::string text(operations::max_secret_bytes + 1, '\0');
        const ssize_t got = ::read(STDIN_FILENO, text.data(), text.size());
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
    auto text = read_descriptor(STDIN_FILENO, "standard input", operations::max_secret_bytes);
    if (!text) return fail(Exit::Usage, text.error());
    return *std::move(text);
}

std::string secrets_table(const std::vector<operations::SecretInfo>& secrets, const Terminal& terminal) {
    if (secrets.empty()) return "there are no secrets; sudo l4d2ctl secrets set NAME\n";
    std::vector<std::vector<Cell>> rows{heading({"SECRET", "AGE", "BLUEPRINTS", "PROBLEM"})};
    const TimePoint now = std::chrono::time_point_cast<TimePoint::duration>(std::chrono::system_clock::now());
    for (const operations::SecretInfo& secret : secrets)
        rows.push_back(
            {{secret.name, Paint::Bold},
             {secret.written ? operations::age_text(*secret.written, now) : "-"},
             {secret.blueprints.empty() ? "-" : fmt::format("{}", fmt::join(secret.blueprints, ","))},
             {printable(secret.problem), Paint::Red}});
    return table(rows, terminal);
}

Result<Exit> list(Session& session, const std::string& output) {
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto in_force = operations::read_source(session);
    if (!in_force) print_error(in_force.error().message);
    const auto secrets = operations::list_secrets(session, in_force ? in_force->set : ManifestSet{});
    if (!secrets) return std::unexpected(secrets.error());
    print(output == "json" ? operations::json_text(operations::secrets_json(*secrets))
                           : secrets_table(*secrets, session.out));
    return Exit::Done;
}

std::string who_gets_it(const std::vector<std::string>& servers) {
    if (servers.empty()) return "no Blueprint of a server names it yet";
    if (servers.size() == 1) return fmt::format("server/{} gets it as its `rollout` says", servers.front());
    return fmt::format("{} servers get it as their `rollout` says", servers.size());
}

Result<Exit> secrets(Session& session, const Options& options) {
    if (options.what == "list") return list(session, options.output);
    if (options.name.empty())
        return fail(Exit::Usage,
                    fmt::format("{} which secret? l4d2ctl secrets {} NAME", options.what, options.what));
    std::string text;
    if (options.what == "set") {
        auto read = read_text(options.name);
        if (!read) return std::unexpected(read.error());
        text = *std::move(read);
    }
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    if (options.what == "remove") {
        if (auto removed = operations::remove_secret(session, options.name); !removed)
            return std::unexpected(removed.error());
        print(fmt::format("secret/{} removed\n", options.name));
        return Exit::Done;
    }
    const auto servers = options.what == "set"
                             ? operations::set_secret(session, options.name, std::move(text))
                             : operations::rotate_secret(session, options.name);
    if (!servers) return std::unexpected(servers.error());
    print(fmt::format("secret/{} written; {}\n", options.name, who_gets_it(*servers)));
    return Exit::Done;
}

}  // namespace

void add_secrets(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "secrets", "Lists, writes and removes the secrets of servers",
                            "  sudo l4d2ctl secrets list\n"
                            "  sudo l4d2ctl secrets set rcon\n"
                            "  sudo l4d2ctl secrets rotate rcon\n"
                            "  sudo l4d2ctl secrets remove rcon",
                            [&session, options] { return secrets(session, *options); });
    verb.choice("WHAT", options->what, {"list", "set", "rotate", "remove"},
                "set: to a line of standard input; rotate: to a random text");
    verb.optional_argument("NAME", options->name, "The secret: a file in /etc/left4me/secrets");
    verb.option("-o,--output", options->output, "of list: table or json", {"table", "json"});
}

}  // namespace left4me::ctl
