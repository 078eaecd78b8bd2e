#include <fmt/format.h>

#include <algorithm>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/tables.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/server_files.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

using operations::LayerRole;
using operations::PathLayer;
using operations::PathOrigin;
using operations::ServerLayer;

struct Options {
    std::string server;
    std::string path;
    std::string output = "text";
};

std::string file_text(const PathLayer& layer) {
    switch (layer.entry.file) {
        case LayerFile::None:
            return "nothing";
        case LayerFile::File:
            // The length of a rendered file would tell that of a secret.
            if (layer.layer->kind == ServerLayer::Kind::Rendered) return "file";
            return fmt::format("file, {} bytes", layer.entry.size);
        case LayerFile::Directory:
            return "directory";
        case LayerFile::Link:
            return "link";
        case LayerFile::Whiteout:
            return "removed";
        case LayerFile::Other:
            return "neither file nor directory";
        case LayerFile::Unreadable:
            return "closed to all but the game";
    }
    return "?";
}

Cell role_cell(LayerRole role) {
    switch (role) {
        case LayerRole::Provides:
            return {"→ provides it", Paint::Green};
        case LayerRole::Merged:
            return {"merged into it"};
        case LayerRole::Shadowed:
            return {"shadowed", Paint::Dim};
        case LayerRole::Hides:
            return {"hides it", Paint::Yellow};
        case LayerRole::Unreadable:
            return {"unknown", Paint::Yellow};
    }
    return {};
}

/// Where the file comes from.
std::string origin_text(const PathLayer& path) {
    const ServerLayer& layer = *path.layer;
    switch (layer.kind) {
        case ServerLayer::Kind::Overlay:
            if (layer.source == nullptr) return "not in the manifests any more";
            return source_text(*layer.source) + (path.input.empty() ? "" : ", " + printable_line(path.input));
        case ServerLayer::Kind::Rendered:
            return "the manifests";
        case ServerLayer::Kind::Installation:
            return printable_line(path.input);
        case ServerLayer::Kind::Own:
        case ServerLayer::Kind::Foreign:
            return "";
    }
    return "";
}

std::string provider_text(const PathOrigin& origin) {
    const PathLayer* const provider = origin.provider();
    const bool own = provider != nullptr && provider->layer->kind == ServerLayer::Kind::Own;
    std::string text;
    if (provider == nullptr) {
        const bool unknown =
            std::any_of(origin.layers.begin(), origin.layers.end(),
                        [](const PathLayer& layer) { return layer.role == LayerRole::Unreadable; });
        text = unknown                 ? "unknown: only the game may look there"
               : origin.layers.empty() ? "no layer has it"
                                       : "the game does not see it";
        if (!origin.closest.empty() && origin.closest != origin.path)
            text += fmt::format("; did you mean {}?", in_quotes(origin.closest));
    } else {
        text = layer_text(*provider->layer);
    }
    text += '\n';
    if (origin.hidden_by_directory)
        text += "The game removed a directory above it and made it anew, which hides the layers below.\n";
    if (own && origin.layers.size() > 1 && provider->entry.file != LayerFile::Directory)
        text += "What the game wrote hides the layers below.\n";
    if (own)
        text += origin.kept
                    ? "The game keeps it (spec.writable of the blueprint).\n"
                    : "The next start sets it aside: spec.writable of the blueprint does not cover it.\n";
    return text;
}

std::string path_text(const PathOrigin& origin, const Terminal& terminal) {
    std::string text = terminal.paint(Paint::Bold, printable_line(origin.path)) + " of server/" +
                       origin.tree.server + ": " + provider_text(origin);
    if (!origin.tree.mounted) text += "Nothing is mounted: this is what the next start finds.\n";
    if (origin.layers.empty()) return text;
    std::vector<std::vector<Cell>> rows{heading({"", "LAYER", "HAS", "DIGEST", "SOURCE"})};
    for (const PathLayer& layer : origin.layers) {
        rows.push_back({role_cell(layer.role),
                        {layer_text(*layer.layer)},
                        {file_text(layer)},
                        {layer.layer->digest},
                        {origin_text(layer)}});
    }
    return text + "\n" + table(rows, terminal);
}

Result<Exit> explain_path(Session& session, const Options& options) {
    const auto server = parse_server_name(options.server);
    if (!server) return std::unexpected(server.error());
    const auto view = begin_reading(session);
    if (!view) return std::unexpected(view.error());
    const auto origin = operations::explain_path(session, *view, *server, options.path);
    if (!origin) return std::unexpected(origin.error());
    print(options.output == "json" ? operations::json_text(operations::path_json(*origin))
                                   : path_text(*origin, session.out));
    return origin->provider() == nullptr ? Exit::NotFound : Exit::Done;
}

}  // namespace

void add_explain_path(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "explain-path",
                            "Shows which layer a file of a server comes from, and what it hides",
                            "  l4d2ctl explain-path comp1 left4dead2/cfg/server.cfg",
                            [&session, options] { return explain_path(session, *options); });
    verb.argument("SERVER", options->server, "The server", Words::Servers);
    verb.argument("PATH", options->path, "Relative to the game's installation");
    verb.option("-o,--output", options->output, "text or json", {"text", "json"});
}

}  // namespace left4me::ctl
