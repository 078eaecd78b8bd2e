#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "l4d2ctl/verbs.hpp"
#include "operations/artifacts.hpp"
#include "operations/server_view.hpp"
#include "operations/usage.hpp"
#include "specs/grammars/duration.hpp"

namespace left4me::ctl {

namespace {

using operations::ServerUsage;
using Usage = std::map<std::string, ServerUsage>;

constexpr std::chrono::seconds longest_interval{3600};

struct Options {
    std::string interval = "2s";
    std::string sort = "name";
    std::string output = "table";
    unsigned count = 0;  ///< 0: until interrupted on a terminal, once elsewhere
};

std::string cores_text(const std::optional<double>& cores) {
    return cores ? fmt::format("{:.2f}", *cores) : "-";
}

std::string memory_text(const std::optional<std::uint64_t>& bytes) {
    return bytes ? operations::rounded_size(*bytes) : "-";
}

unsigned players_on(const View& view, const std::string& name) {
    const ObservedPlayers* const players = operations::players_of(view, name);
    return players == nullptr ? 0 : players->count;
}

/// By name where the rest is equal.
std::vector<std::string> sorted_names(const View& view, const Usage& usage, const std::string& by) {
    std::vector<std::string> names;
    for (const auto& [name, one] : usage) names.push_back(name);
    const auto most_first = [&](const auto& value) {
        std::stable_sort(names.begin(), names.end(),
                         [&](const std::string& a, const std::string& b) { return value(a) > value(b); });
    };
    if (by == "players") most_first([&](const std::string& name) { return players_on(view, name); });
    if (by == "cpu") most_first([&](const std::string& name) { return usage.at(name).cores; });
    if (by == "memory") most_first([&](const std::string& name) { return usage.at(name).memory_bytes; });
    return names;
}

std::string summary(const View& view, const Usage& usage) {
    unsigned players = 0;
    for (const auto& [name, one] : usage) players += players_on(view, name);
    const ServerUsage sum = operations::sum_of(usage);
    return fmt::format("{} server{}, {} player{}; {} of {} cores, memory {}\n", usage.size(),
                       usage.size() == 1 ? "" : "s", players, players == 1 ? "" : "s", cores_text(sum.cores),
                       std::max(1U, std::thread::hardware_concurrency()), memory_text(sum.memory_bytes));
}

std::string usage_table(const View& view, const Usage& usage, const std::string& sort,
                        const Terminal& terminal) {
    // A narrower window gets fewer columns.
    constexpr std::array<std::size_t, 9> from_width{0, 0, 0, 0, 60, 60, 60, 80, roomy};
    const auto fit = [&terminal, &from_width](std::vector<Cell> row) {
        const auto wider = std::upper_bound(from_width.begin(), from_width.end(), terminal.width);
        row.erase(row.begin() + (wider - from_width.begin()), row.end());
        return row;
    };
    std::vector<std::vector<Cell>> rows{
        fit(heading({"NAME", "PLAYERS", "CPU", "MEMORY", "TICK", "RESTARTS", "UP", "MAP", "WHY"}))};
    for (const std::string& name : sorted_names(view, usage, sort)) {
        const ServerUsage& one = usage.at(name);
        const auto observed = view.observed.servers.find(name);
        const ObservedUnit unit =
            observed == view.observed.servers.end() ? ObservedUnit{} : observed->second.unit;
        const bool is_silent = operations::game_state(view, name) == operations::GameState::NoAnswer;
        rows.push_back(fit({{name, Paint::Bold},
                            {operations::players_text(view, name), is_silent ? Paint::Yellow : Paint::Plain},
                            {cores_text(one.cores)},
                            {memory_text(one.memory_bytes)},
                            {operations::tick_text(view, name),
                             operations::is_degraded(view, name) ? Paint::Yellow : Paint::Plain},
                            {std::to_string(unit.restarts), unit.restarts > 0 ? Paint::Yellow : Paint::Plain},
                            {unit.active_since ? operations::age_text(*unit.active_since, view.observed.now)
                                               : operations::activity_text(unit)},
                            {operations::map_text(view, name)},
                            {operations::why_text(view, name)}}));
    }
    return table(rows, terminal);
}

std::string tables_text(const View& view, const Usage& usage, const std::string& sort,
                        const Terminal& terminal) {
    return summary(view, usage) + usage_table(view, usage, sort, terminal);
}

/// The first lines of a text, as many as a window has; the last one says what is missing.
std::string fit_height(const std::string& text, std::size_t height) {
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    // The cursor stays in the line below.
    if (height == 0 || lines < height) return text;
    const std::size_t kept = height > 2 ? height - 2 : 1;
    std::size_t end = 0;
    for (std::size_t line = 0; line < kept; ++line) end = text.find('\n', end) + 1;
    return text.substr(0, end) +
           fmt::format("… {} more; sort them, or make the window higher\n", lines - kept);
}

/// Over the frame before. The last one stays when somebody interrupts this. Meanwhile, lines are not wrapped:
/// xterm's control sequences, invisible-island.net/xterm/ctlseqs/ctlseqs.html
void draw(const std::string& text, bool first) {
    (void)std::fputs(first ? "\033[H\033[2J\033[?7l" : "\033[H\033[?7l", stdout);
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = text.find('\n', begin);
        print(text.substr(begin, end - begin));
        (void)std::fputs("\033[K\n", stdout);
        begin = end + 1;
    }
    (void)std::fputs("\033[J\033[?7h", stdout);
}

Result<Exit> top(Session& session, const Options& options) {
    const auto interval = parse_duration(options.interval);
    if (!interval || *interval < std::chrono::seconds(1) || *interval > longest_interval)
        return fail(Exit::Usage, fmt::format("--interval: \"{}\" is not a duration from 1s to {}, such as 5s",
                                             options.interval, duration_text(longest_interval)));
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    const bool live = session.out.person && options.output == "table";
    const unsigned count = options.count == 0 && !live ? 1 : options.count;
    operations::UsageSampler sampler;
    bool first = true;
    for (unsigned shown = 0; count == 0 || shown < count;) {
        const auto view = operations::observe(session);
        if (!view && !live) return std::unexpected(view.error());
        if (!view) {
            draw(view.error().message + "\n", first);  // a restarted bus comes back
        } else {
            const Usage usage = sampler.sample(session.paths, operations::shown_servers(*view));
            const Terminal terminal = Terminal::of(1);
            // How much CPU a server uses takes two samples.
            if (live || !first) ++shown;
            if (live)
                draw(fit_height(tables_text(*view, usage, options.sort, terminal), terminal.height), first);
            else if (!first)
                print(options.output == "json" ? operations::json_text(operations::usage_json(*view, usage))
                                               : tables_text(*view, usage, options.sort, terminal));
        }
        first = false;
        if (std::fflush(stdout) != 0) return Exit::Refused;
        if (count == 0 || shown < count) std::this_thread::sleep_for(*interval);
    }
    return Exit::Done;
}

}  // namespace

void add_top(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "top", "Shows what each server uses, and who plays there, until interrupted",
                 "  l4d2ctl top --sort players\n  l4d2ctl top -o json",
                 [&session, options] { return top(session, *options); });
    verb.option("-i,--interval", options->interval, "How often: 1s to 1h (default 2s)");
    verb.option("--sort", options->sort, "name, players, cpu or memory",
                {"name", "players", "cpu", "memory"});
    verb.option("-n,--count", options->count, "Ends after so many tables");
    verb.option("-o,--output", options->output, "table or json", {"table", "json"});
}

}  // namespace left4me::ctl
