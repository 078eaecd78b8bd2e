#include <fmt/format.h>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/tables.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/server_files.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

using operations::TreeListing;

struct Options {
    std::string server;
    std::string path;
    std::string output = "text";
};

std::string name_text(const MergedName& name) {
    const char* const mark = name.file == LayerFile::Directory ? "/"
                             : name.file == LayerFile::Link    ? "@"
                                                               : "";
    return printable_line(name.name) + mark;
}

std::string provider_text(const TreeListing& listing, const MergedName& name) {
    std::string text = layer_text(listing.tree.layers[name.provider]);
    if (name.merged > 1) text += fmt::format(" and {} below", name.merged - 1);
    return text;
}

std::string tree_text(const TreeListing& listing, const Terminal& terminal) {
    std::vector<std::vector<Cell>> rows{heading({"NAME", "LAYER", "SHADOWED"})};
    for (const MergedName& name : listing.names) {
        rows.push_back({{name_text(name)},
                        {provider_text(listing, name)},
                        {name.shadowed == 0 ? std::string() : std::to_string(name.shadowed)}});
    }
    std::string text = table(rows, terminal);
    if (listing.more || listing.names.size() < listing.total)
        text += fmt::format("the first {} of {}{} names\n", listing.names.size(),
                            listing.more ? "more than " : "", listing.total);
    return text;
}

Result<Exit> tree(Session& session, const Options& options) {
    const auto server = parse_server_name(options.server);
    if (!server) return std::unexpected(server.error());
    const auto view = begin_reading(session);
    if (!view) return std::unexpected(view.error());
    const auto listing = operations::list_tree(session, *view, *server, options.path);
    if (!listing) return std::unexpected(listing.error());
    if (!listing->tree.mounted && options.output == "text")
        print_error("nothing is mounted: this is what the next start finds\n");
    print(options.output == "json" ? operations::json_text(operations::tree_json(*listing))
                                   : tree_text(*listing, session.out));
    return Exit::Done;
}

}  // namespace

void add_tree(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(
        app, session, "tree", "Lists a directory of a server, and the layer that each name comes from",
        "  l4d2ctl tree comp1 left4dead2/cfg", [&session, options] { return tree(session, *options); });
    verb.argument("SERVER", options->server, "The server", Words::Servers);
    verb.optional_argument("PATH", options->path, "Relative to the game's installation; default: its root");
    verb.option("-o,--output", options->output, "text or json", {"text", "json"});
}

}  // namespace left4me::ctl
