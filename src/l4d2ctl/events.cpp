#include "operations/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string server;
    std::string output = "text";
    unsigned lines = 100;
    bool follow = false;
};

constexpr std::chrono::milliseconds look_anyway{5000};

std::string text_of(const Event& event, const Terminal& terminal) {
    const Paint paint = event.warning ? Paint::Yellow : event.drift ? Paint::Bold : Paint::Plain;
    std::string line =
        fmt::format("{}   {:<18}   {}   {}", terminal.paint(Paint::Dim, operations::time_text(event.last)),
                    event.subject, terminal.paint(paint, fmt::format("{:<14}", event.reason)),
                    printable(event.message.substr(0, event.message.find('\n'))));
    if (event.count > 1)
        line += event.last > event.at ? fmt::format("; {} times since {}", event.count, clock_text(event.at))
                                      : fmt::format("; {} times", event.count);
    if (event.drift && event.actor.empty()) line += terminal.paint(Paint::Dim, "; by: unknown");
    if (!event.drift && !event.actor.empty())
        line += terminal.paint(Paint::Dim, "; requested by " + printable(event.actor));
    return line + "\n";
}

std::string shown(const Event& event, const Options& options, const Terminal& terminal) {
    return options.output == "json" ? operations::event_json(event) + "\n" : text_of(event, terminal);
}

[[noreturn]] void follow(const Session& session, const Options& options, operations::EventFeed feed) {
    for (;;) {
        for (const Event& event : feed.news()) print(shown(event, options, session.out));
        if (std::fflush(stdout) != 0) std::exit(static_cast<int>(Exit::Refused));
        feed.wait(look_anyway);
    }
}

Result<Exit> events(Session& session, Options& options) {
    if (!options.server.empty()) {
        auto name = parse_server_name(options.server);
        if (!name) return std::unexpected(name.error());
        options.server = std::move(*name);
    }
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    operations::EventFeed feed(session,
                               options.server);  // before reading, so that nothing in between is lost
    const std::vector<Event> all = feed.past();
    const std::size_t count =
        options.lines == 0 ? all.size() : std::min<std::size_t>(options.lines, all.size());
    for (auto event = all.end() - static_cast<std::ptrdiff_t>(count); event != all.end(); ++event)
        print(shown(*event, options, session.out));
    if (options.follow) follow(session, options, std::move(feed));
    return Exit::Done;
}

}  // namespace

void add_events(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "events", "Shows what was done, why, when and for whom",
                            "  l4d2ctl events comp1\n  l4d2ctl events --follow -o json",
                            [&session, options] { return events(session, *options); });
    verb.optional_argument("SERVER", options->server, "Only what happened to this server", Words::Servers);
    verb.flag("-f,--follow", options->follow, "Then show each new one as it happens");
    verb.option("-n,--lines", options->lines, "At most the last N (default 100; 0: all)");
    verb.option("-o,--output", options->output, "text, or json: one object per line", {"text", "json"});
}

}  // namespace left4me::ctl
