#include <fmt/format.h>
#include <fmt/ranges.h>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/server_page.hpp"
#include "l4d2ctl/tables.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/artifacts.hpp"
#include "operations/build_view.hpp"
#include "operations/conflicts.hpp"
#include "operations/host_view.hpp"
#include "operations/journal_tail.hpp"
#include "operations/objects.hpp"
#include "operations/pins.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

constexpr unsigned log_lines = 10;

std::string names_or_none(const std::vector<std::string>& names) {
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string place(const Origin& origin) { return fmt::format("{}:{}", origin.where.file, origin.where.line); }

std::string page(std::vector<std::vector<Cell>> rows, const Session& session, const std::string& title) {
    for (auto& row : rows) row.front().paint = Paint::Dim;
    return session.out.paint(Paint::Bold, title) + "\n\n" + table(rows, session.out);
}

Result<std::string> describe_blueprint(const Session& session, const View& view, const std::string& name) {
    const auto found = view.in_force.set.blueprints.find(name);
    if (found == view.in_force.set.blueprints.end())
        return fail(Exit::NotFound, "blueprint/" + name + " is not there");
    const Blueprint& blueprint = found->second;
    const std::string installation = installation_of(view.in_force.set, blueprint);
    const std::string text =
        page({{{"Servers"}, {names_or_none(operations::servers_using(view.in_force.set, name))}},
              {{"Overlays"}, {names_or_none(blueprint.overlays)}},
              {{"Installation"}, {installation.empty() ? "as version 0.1 had it" : installation}},
              {{"Runs configs of"}, {names_or_none(blueprint.execute_configs)}},
              {{"Arguments"}, {printable(fmt::format("{}", fmt::join(blueprint.arguments, " ")))}},
              {{"Manifest"}, {place(blueprint.origin)}}},
             session, "blueprint/" + name);
    operations::ConflictFinder finder(session.paths, view.desired().overlays);
    std::string conflicts;
    for (const operations::Conflict& conflict : finder.find(blueprint.overlays))
        conflicts += printable_line(to_text(conflict)) + "\n";
    return text + section("Conflicts between overlays", conflicts, session.out) +
           section("server.cfg", printable(blueprint.config), session.out);
}

Result<std::string> describe_overlay(const Session& session, const View& view, Kind kind,
                                     const std::string& name, operations::JournalTail& tail) {
    const std::string owner = to_string(Subject{kind, name});
    const auto found = view.in_force.set.overlays.find(name);
    if (found == view.in_force.set.overlays.end() || kind_of(found->second.source) != kind)
        return fail(Exit::NotFound, owner + " is not there");
    const std::string digest = operations::usable_generation(view, name);
    std::vector<std::vector<Cell>> rows{{{"Source"}, {source_text(found->second.source)}},
                                        {{"Artifact"}, {digest.empty() ? "none" : digest}}};
    if (const std::string revision = operations::built_revision(view, name); !revision.empty())
        rows.push_back({{"Built from"}, {printable(revision)}});
    if (const std::string pin = operations::pin_text(view, name); !pin.empty()) {
        rows.push_back({{"Pinned"}, {printable(pin)}});
        rows.push_back({{"Upstream"}, {printable(operations::upstream_text(view, name))}});
    }
    if (const std::string refresh = operations::refresh_text(view, name); !refresh.empty())
        rows.push_back({{"Refresh"}, {printable(refresh)}});
    rows.push_back({{"Build"}, {printable(operations::build_text(view, name))}});
    rows.push_back({{"Blueprints"}, {names_or_none(operations::blueprints_using(view.in_force.set, name))}});
    rows.push_back({{"Manifest"}, {place(found->second.origin)}});
    if (const auto rollback = view.intent.rollbacks.find(name); rollback != view.intent.rollbacks.end())
        rows.insert(rows.begin() + 2, {{"Kept"},
                                       {fmt::format("{}, {}; sudo l4d2ctl resume {} lets it follow "
                                                    "its source again",
                                                    printable(rollback_text(rollback->second)),
                                                    operations::time_text(rollback->second.at), owner),
                                        Paint::Yellow}});
    const std::string text =
        page(std::move(rows), session, owner) +
        section("Artifacts, the last built first", operations::artifacts_text(view, name), session.out) +
        section("Items", operations::items_text(operations::info_in_use(view, name)), session.out);
    if (!is_built_by_unit(found->second.source)) return text;
    const std::string log = tail.text();
    return text + section("Log",
                          log.empty()
                              ? "nothing, or you may not read the journal: sudo l4d2ctl logs overlay/" + name
                              : printable(log),
                          session.out);
}

Result<std::string> describe_server(const Session& session, View& view, const std::string& name,
                                    operations::JournalTail& tail) {
    if (!is_shown(view, name)) return fail(Exit::NotFound, "server/" + name + " is not there");
    const auto details = unit_details(view, name);
    if (!details) return std::unexpected(details.error());
    const std::string log = tail.text();
    return server_page(view, name, *details, session.out) +
           section("Log",
                   log.empty() ? "nothing, or you may not read the journal: sudo l4d2ctl logs " + name
                               : printable(log),
                   session.out);
}

std::string labels_text(const std::map<std::string, std::string>& labels) {
    std::vector<std::string> words;
    for (const auto& [key, value] : labels) words.push_back(key + "=" + value);
    return fmt::format("{}", fmt::join(words, ","));
}

Result<std::string> describe_host(const Session& session, View& view, const std::string& name) {
    const auto found = view.in_force.set.hosts.find(name);
    if (found == view.in_force.set.hosts.end()) return fail(Exit::NotFound, "host/" + name + " is not there");
    const HostManifest& host = found->second;
    const auto units = operations::unit_tunings(view);
    if (!units) return std::unexpected(units.error());
    const std::string trouble = operations::tuning_trouble(view);
    std::vector<std::vector<Cell>> rows{
        {{"Tuned"},
         {trouble.empty() ? "as its manifest says" : "not as its manifest says: " + printable(trouble)}},
        {{"Processors"},
         {fmt::format("system {}, games {}", operations::cpus_text(host.system_cpus),
                      operations::cpus_text(host.game_cpus))}},
        {{"Each game"}, {operations::settings_text(host.games)}}};
    for (const LabeledSettings& labeled : host.labeled)
        rows.push_back(
            {{"With " + labels_text(labeled.labels)}, {operations::settings_text(labeled.settings)}});
    rows.push_back({{"Starts"},
                    {host.start_parallel ? fmt::format("{} at the same time", *host.start_parallel)
                                         : "any number at the same time"}});
    rows.push_back({{"Manifest"}, {place(host.origin)}});
    std::vector<std::vector<Cell>> table_rows{
        heading({"UNIT", "SYSTEMD HAS", "PROCESSORS", "NICE", "DIFFERS"})};
    for (const operations::UnitTuning& unit : *units) {
        table_rows.push_back({{unit.unit, Paint::Bold},
                              {operations::settings_text(unit.limits.settings)},
                              {unit.limits.effective.empty() ? "-" : to_text(unit.limits.effective)},
                              {unit.running_nice ? std::to_string(*unit.running_nice) : "-"},
                              {unit.difference(), Paint::Yellow}});
    }
    return page(std::move(rows), session, "host/" + name) +
           section("What each unit has", table(table_rows, session.out), session.out);
}

/// One object of the kind; `tail` has read its log meanwhile.
Result<std::string> describe_object(const Session& session, View& view, const Subject& object,
                                    std::optional<operations::JournalTail>& tail) {
    switch (object.kind) {
        case Kind::Server:
            return describe_server(session, view, object.name, *tail);
        case Kind::Blueprint:
            return describe_blueprint(session, view, object.name);
        case Kind::Overlay:
        case Kind::Installation:
            return describe_overlay(session, view, object.kind, object.name, *tail);
        case Kind::Host:
            return describe_host(session, view, object.name);
    }
    return fail(Exit::NotFound, "");
}

Result<Exit> describe(Session& session, const std::vector<std::string>& words) {
    const auto target = parse_target(words);
    if (!target) return std::unexpected(target.error());
    if (!target->kind || target->names.size() != 1)
        return fail(Exit::Usage, "describe what? one KIND NAME or KIND/NAME");
    const std::string& name = target->names.front();
    std::optional<operations::JournalTail> tail;
    if (*target->kind == Kind::Server || has_artifacts(*target->kind))
        tail.emplace(operations::log_units({*target->kind, name}), log_lines);
    auto view = begin_reading(session);
    if (!view) return std::unexpected(view.error());
    const auto text = describe_object(session, *view, {*target->kind, name}, tail);
    if (!text) return std::unexpected(text.error());
    print(*text);
    return Exit::Done;
}

}  // namespace

void add_describe(CLI::App& app, Session& session) {
    auto words = std::make_shared<std::vector<std::string>>();
    Command verb =
        add_verb(app, session, "describe", "Shows everything about one object, and what to do next",
                 "  l4d2ctl describe server comp1", [&session, words] { return describe(session, *words); });
    verb.arguments("OBJECT", *words, "KIND NAME or KIND/NAME", Words::Objects);
}

}  // namespace left4me::ctl
