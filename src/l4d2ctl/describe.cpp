#include <fmt/format.h>
#include <fmt/ranges.h>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/server_page.hpp"
#include "l4d2ctl/tables.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/artifacts.hpp"
#include "operations/build_view.hpp"
#include "operations/conflicts.hpp"
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
    for (const operations::Conflict& conflict : finder.find({blueprint.overlays, installation}))
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

Result<Exit> describe(Session& session, const std::vector<std::string>& words) {
    const auto target = parse_target(words);
    if (!target) return std::unexpected(target.error());
    if (!target->kind || target->names.size() != 1)
        return fail(Exit::Usage, "describe what? one KIND NAME or KIND/NAME");
    const std::string& name = target->names.front();
    std::optional<operations::JournalTail> tail;
    if (*target->kind != Kind::Blueprint)
        tail.emplace(operations::log_units({*target->kind, name}), log_lines);
    auto view = begin_reading(session);
    if (!view) return std::unexpected(view.error());
    const auto text = *target->kind == Kind::Server ? describe_server(session, *view, name, *tail)
                      : *target->kind == Kind::Blueprint
                          ? describe_blueprint(session, *view, name)
                          : describe_overlay(session, *view, *target->kind, name, *tail);
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
