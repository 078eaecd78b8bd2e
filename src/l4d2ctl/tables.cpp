#include "l4d2ctl/tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "operations/artifacts.hpp"
#include "operations/build_view.hpp"
#include "operations/host_view.hpp"
#include "operations/objects.hpp"
#include "operations/pins.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

using operations::activity_text;
using operations::age_text;
using operations::blueprints_using;
using operations::enablement_text;
using operations::servers_using;

using Row = std::vector<Cell>;

Paint paint_of(ActiveState state) {
    switch (state) {
        case ActiveState::Active:
            return Paint::Green;
        case ActiveState::Failed:
            return Paint::Red;
        case ActiveState::Activating:
        case ActiveState::Deactivating:
            return Paint::Yellow;
        case ActiveState::Inactive:
            return Paint::Plain;
    }
    return Paint::Plain;
}

Cell ready_cell(const Condition* ready) {
    if (ready == nullptr) return {"-", Paint::Dim};
    switch (ready->status) {
        case ConditionStatus::True:
            return {"yes", Paint::Green};
        case ConditionStatus::False:
            return {"no", Paint::Red};
        case ConditionStatus::Unknown:
            return {"?", Paint::Yellow};
    }
    return {};
}

/// How long it has been as READY and ACTIVE say: a restart resets it.
std::string since_text(const View& view, const Condition* ready, const ObservedUnit& unit) {
    if (ready == nullptr) return "-";
    // A server that runs as it should has been Ready only since some seconds after its start.
    const bool runs = ready->status == ConditionStatus::True && unit.active == ActiveState::Active;
    const TimePoint up = unit.active_since.value_or(ready->last_transition);
    return age_text(runs ? up : std::max(ready->last_transition, up), view.observed.now);
}

Row server_row(const View& view, const std::string& name, bool is_roomy, bool wide) {
    static const ObservedServer nothing;
    const auto found = view.observed.servers.find(name);
    const ObservedServer& observed = found == view.observed.servers.end() ? nothing : found->second;
    const auto desired = view.desired().servers.find(name);
    const bool wanted = desired != view.desired().servers.end();
    const Condition* const ready = ready_condition(view, name);
    const std::optional<std::uint16_t> used = port_in_use(view, name);
    Row row{{name, Paint::Bold},
            ready_cell(ready),
            {wanted ? to_string(desired->second.state) : "-"},
            {activity_text(observed.unit), paint_of(observed.unit.active)},
            {enablement_text(observed.unit.enablement)},
            {used     ? std::to_string(*used)
             : wanted ? std::to_string(desired->second.port)
                      : "-"},
            {operations::players_text(view, name)}};
    if (is_roomy) {
        row.push_back({operations::map_text(view, name)});
        row.push_back({wanted ? desired->second.blueprint : "-"});
        row.push_back({since_text(view, ready, observed.unit)});
    }
    if (wide) {
        row.push_back({observed.mounted ? "mounted" : observed.mounted_in_game ? "unmounted" : "-"});
        row.push_back({observed.current.value_or("-")});
        row.push_back({wanted ? to_string(desired->second.rollout.policy) : "-"});
    }
    row.push_back({printable(why_text(view, name)), Paint::Yellow});
    return row;
}

std::vector<Row> server_rows(const View& view, const std::vector<std::string>& names, bool wide,
                             const Terminal& terminal) {
    // In a narrow window, the reason needs the space more.
    const bool is_roomy = wide || terminal.width >= roomy;
    std::vector<std::string> titles{"NAME", "READY", "WANTED", "ACTIVE", "AT BOOT", "PORT", "PLAYERS"};
    if (is_roomy) titles.insert(titles.end(), {"MAP", "BLUEPRINT", "SINCE"});
    if (wide) titles.insert(titles.end(), {"OVERLAY", "RENDERING", "ROLLOUT"});
    titles.emplace_back("WHY");
    std::vector<Row> rows{heading(titles)};
    for (const std::string& name : names) rows.push_back(server_row(view, name, is_roomy, wide));
    return rows;
}

std::vector<Row> blueprint_rows(const View& view, const std::vector<std::string>& names, bool wide) {
    std::vector<std::string> titles{"NAME", "SERVERS", "OVERLAYS"};
    if (wide) titles.emplace_back("ARGUMENTS");
    std::vector<Row> rows{heading(titles)};
    for (const std::string& name : names) {
        const Blueprint& blueprint = view.in_force.set.blueprints.at(name);
        Row row{{name, Paint::Bold},
                {std::to_string(servers_using(view.in_force.set, name).size())},
                {fmt::format("{}", fmt::join(blueprint.overlays, ", "))}};
        if (wide) row.push_back({printable(fmt::format("{}", fmt::join(blueprint.arguments, " ")))});
        rows.push_back(std::move(row));
    }
    return rows;
}

Cell built_cell(const View& view, const std::string& name) {
    const std::string word = operations::build_word(view, name);
    switch (operations::build_state(view, name)) {
        case operations::BuildState::Built:
            return {word, Paint::Green};
        case operations::BuildState::Building:
        case operations::BuildState::Waiting:
        case operations::BuildState::Canceled:
        case operations::BuildState::Reading:
            return {word, Paint::Yellow};
        case operations::BuildState::Failed:
        case operations::BuildState::Unavailable:
            return {word, Paint::Red};
    }
    return {word};
}

std::string artifact_text(const View& view, const std::string& name) {
    const std::string digest = operations::usable_generation(view, name);
    return digest.empty() ? "-" : digest;
}

/// Size, shared size and age of the artifact that servers can have.
Row size_cells(const View& view, const std::string& name) {
    const auto built = view.observed.built.find("overlays/" + name + "/" + artifact_text(view, name));
    const bool there = built != view.observed.built.end();
    const auto info = operations::info_in_use(view, name);
    return {{operations::rounded_size(info)},
            {operations::shared_text(info)},
            {there ? age_text(built->second, view.observed.now) : "-"}};
}

std::vector<Row> overlay_rows(const View& view, const std::vector<std::string>& names, bool wide) {
    const auto& rollbacks = view.intent.rollbacks;
    const bool any_rolled_back =
        std::any_of(names.begin(), names.end(),
                    [&rollbacks](const std::string& name) { return rollbacks.contains(name); });
    std::vector<std::string> titles{"NAME", "BUILT", "ARTIFACT", "BLUEPRINTS"};
    if (wide) titles.insert(titles.end(), {"SIZE", "SHARED", "AGE", "PIN", "UPSTREAM", "REFRESH"});
    titles.emplace_back("SOURCE");
    if (wide) titles.emplace_back("MANIFEST");
    if (any_rolled_back) titles.emplace_back("WHY");
    std::vector<Row> rows{heading(titles)};
    for (const std::string& name : names) {
        const Overlay& overlay = view.in_force.set.overlays.at(name);
        Row row{{name, Paint::Bold},
                built_cell(view, name),
                {artifact_text(view, name)},
                {std::to_string(blueprints_using(view.in_force.set, name).size())}};
        if (wide) {
            Row sizes = size_cells(view, name);
            std::move(sizes.begin(), sizes.end(), std::back_inserter(row));
            row.push_back({printable(operations::pin_word(view, name))});
            row.push_back({operations::upstream_word(view, name)});
            row.push_back({overlay.refresh ? to_text(*overlay.refresh) : "-"});
        }
        row.push_back({source_text(overlay.source)});
        if (wide) row.push_back({fmt::format("{}:{}", overlay.origin.where.file, overlay.origin.where.line)});
        const auto rollback = rollbacks.find(name);
        if (any_rolled_back)
            row.push_back({rollback == rollbacks.end() ? "" : printable(rollback_text(rollback->second)),
                           Paint::Yellow});
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<Row> host_rows(const View& view, const std::vector<std::string>& names) {
    std::vector<Row> rows{heading({"NAME", "TUNED", "SYSTEM", "GAMES", "EACH GAME", "WHY"})};
    for (const std::string& name : names) {
        const HostManifest& host = view.in_force.set.hosts.at(name);
        const std::string trouble = operations::tuning_trouble(view);
        rows.push_back({{name, Paint::Bold},
                        {trouble.empty() ? "yes" : "no", trouble.empty() ? Paint::Green : Paint::Red},
                        {operations::cpus_text(host.system_cpus)},
                        {operations::cpus_text(host.game_cpus)},
                        {operations::settings_text(host.games)},
                        {printable(trouble), Paint::Yellow}});
    }
    return rows;
}

}  // namespace

std::string kind_table(const View& view, Kind kind, const std::vector<std::string>& names, bool wide,
                       const Terminal& terminal) {
    switch (kind) {
        case Kind::Server:
            return table(server_rows(view, names, wide, terminal), terminal);
        case Kind::Blueprint:
            return table(blueprint_rows(view, names, wide), terminal);
        case Kind::Overlay:
        case Kind::Installation:
            return table(overlay_rows(view, names, wide), terminal);
        case Kind::Host:
            return table(host_rows(view, names), terminal);
    }
    return {};
}

std::string source_text(const OverlaySource& source) {
    return std::visit(
        Overloaded{
            [](const DirectorySource& directory) { return "directory " + directory.path; },
            [](const InlineSource& text) {
                const std::size_t files = text.files.size();
                return fmt::format("inline, {} {}", files, files == 1 ? "file" : "files");
            },
            [](const ArchiveSource& archive) { return "archive " + archive.locations.front().url; },
            [](const GitSource& git) {
                return fmt::format("git {}{}{}", git.url, git.ref.empty() ? "" : " ", git.ref);
            },
            [](const MapIndexSource& index) { return "map index " + index.url; },
            [](const WorkshopSource& workshop) {
                const std::size_t items = workshop.items.size();
                const std::size_t collections = workshop.collections.size();
                return fmt::format("workshop, {} {}, {} {}", items, items == 1 ? "item" : "items",
                                   collections, collections == 1 ? "collection" : "collections");
            },
            [](const SteamSource& steam) {
                return steam.build.empty() ? std::string("steam, the newest build")
                                           : "steam, build " + steam.build;
            },
            [](const ScriptSource& script) {
                const auto lines = std::count(script.run.begin(), script.run.end(), '\n') + 1;
                return fmt::format("script, {} {}", lines, lines == 1 ? "line" : "lines");
            },
        },
        source);
}

}  // namespace left4me::ctl
