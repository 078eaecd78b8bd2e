#include <fmt/format.h>

#include <algorithm>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/tables.hpp"
#include "l4d2ctl/verbs.hpp"
#include "l4d2ctl/watch.hpp"
#include "operations/objects.hpp"
#include "operations/source_text.hpp"
#include "specs/selector.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::vector<std::string> target;
    std::string selector;
    std::string output = "table";
    bool watch = false;
};

/// What was asked for on the command line.
struct Wanted {
    Target target;
    std::string selector;
    std::string output;
};

/// The requested names, from the existing ones.
Result<std::vector<std::string>> pick(std::vector<std::string> names, Kind kind, const Wanted& wanted,
                                      const ManifestSet& set) {
    if (wanted.target.names.empty())
        return operations::with_labels(std::move(names), kind, wanted.selector, set);
    for (const std::string& name : wanted.target.names) {
        if (std::find(names.begin(), names.end(), name) == names.end())
            return fail(Exit::NotFound, fmt::format("{}/{} is not there", to_string(kind), name));
    }
    return wanted.target.names;
}

std::vector<Kind> kinds_of(const Target& target) {
    if (target.kind) return {*target.kind};
    std::vector<Kind> every_kind;
    for (const KindEntry& entry : kinds()) every_kind.push_back(entry.kind);
    return every_kind;
}

/// Names and manifests come from the source alone: the host is not queried, so this is fast and works
/// anywhere.
Result<Exit> get_from_source(Session& session, const Wanted& wanted) {
    const auto in_force = operations::read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    const std::vector<SourceFile>& files = in_force->snapshot.files;
    const operations::DocumentIndex index =
        wanted.output == "yaml" ? operations::index_documents(files) : operations::DocumentIndex();
    std::string text;
    for (const Kind kind : kinds_of(wanted.target)) {
        const auto names = pick(operations::manifest_names(in_force->set, kind), kind, wanted, in_force->set);
        if (!names) return std::unexpected(names.error());
        for (const std::string& name : *names) {
            if (wanted.output == "name") {
                text += fmt::format("{}/{}\n", to_string(kind), name);
            } else {
                const operations::DocumentPlace place = index.at({kind, name});
                text += (text.empty() ? "" : "---\n") +
                        operations::document_body(files[place.file].text, place.document);
            }
        }
    }
    print(text);
    return Exit::Done;
}

Result<Exit> get_json(View& view, const Wanted& wanted) {
    using operations::Json;
    Json items = Json::array();
    for (const Kind kind : kinds_of(wanted.target)) {
        const auto names = pick(operations::shown_names(view, kind), kind, wanted, view.in_force.set);
        if (!names) return std::unexpected(names.error());
        const auto objects = operations::objects_json(view, kind, *names);
        if (!objects) return std::unexpected(objects.error());
        for (const Json& object : *objects) items.push_back(object);
    }
    const bool one = wanted.target.names.size() == 1;
    print(operations::json_text(one ? items.front() : Json{{"items", std::move(items)}}));
    return Exit::Done;
}

Result<Exit> get_tables(const Session& session, View& view, const Wanted& wanted) {
    std::string text;
    for (const Kind kind : kinds_of(wanted.target)) {
        const auto names = pick(operations::shown_names(view, kind), kind, wanted, view.in_force.set);
        if (!names) return std::unexpected(names.error());
        if (names->empty()) {
            if (wanted.target.kind) print_error(fmt::format("no {}s", to_string(kind)));
            continue;
        }
        text +=
            (text.empty() ? "" : "\n") + kind_table(view, kind, *names, wanted.output == "wide", session.out);
    }
    print(text);
    return Exit::Done;
}

Result<Exit> get(Session& session, const Options& options) {
    auto target = parse_target(options.target);
    if (!target) return std::unexpected(target.error());
    if (!options.selector.empty()) {
        if (!target->names.empty()) return fail(Exit::Usage, "name objects, or choose by labels: not both");
        if (auto parsed = parse_selector(options.selector); !parsed) return fail(Exit::Usage, parsed.error());
    }
    if (options.watch &&
        (target->kind != Kind::Server || options.output == "name" || options.output == "yaml"))
        return fail(Exit::Usage, "--watch is for servers, as a table or as json");
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    const Wanted wanted{std::move(*target), options.selector, options.output};
    if (options.watch) return watch_servers(session, wanted.target.names, wanted.selector, wanted.output);
    if (options.output == "name" || options.output == "yaml") return get_from_source(session, wanted);
    auto view = operations::observe(session);
    if (!view) return std::unexpected(view.error());
    tell_trouble_briefly(view->in_force);
    if (options.output == "json") return get_json(*view, wanted);
    return get_tables(session, *view, wanted);
}

}  // namespace

void add_get(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "get", "Shows the objects of a kind, or all, one line each",
                            "  l4d2ctl get servers -l pool=competitive\n  l4d2ctl get server comp1 -o yaml\n "
                            " l4d2ctl get all -o json",
                            [&session, options] { return get(session, *options); });
    verb.arguments("OBJECT", options->target, "KIND [NAME…], KIND/NAME…, or all", Words::Objects);
    verb.option("-l,--selector", options->selector, "Only objects with these labels, as in pool=competitive");
    verb.option("-o,--output", options->output, "table, wide, yaml (the manifests), json or name",
                {"table", "wide", "yaml", "json", "name"});
    verb.flag("-w,--watch", options->watch,
              "Then a line for each server that changes; json: one object per line");
}

}  // namespace left4me::ctl
