#include "adapters/config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "adapters/config/table.hpp"
#include "adapters/paths.hpp"
#include "specs/documents.hpp"
#include "specs/grammars/duration.hpp"
#include "specs/grammars/integer.hpp"
#include "specs/grammars/size.hpp"
#include "specs/remote_url.hpp"
#include "specs/reporter.hpp"
#include "specs/validate.hpp"
#include "specs/value.hpp"
#include "specs/yaml.hpp"

namespace left4me {

namespace {

std::string normal(const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
    // "/srv/x/" is "/srv/x", and "." is nothing.
    const std::string plain = path.has_filename() ? path.string() : path.parent_path().string();
    return plain == "." ? "" : plain;
}

std::uint64_t integer(const Value& value) { return parse_integer(value.text()).value_or(0); }
std::uint64_t size(const Value& value) { return parse_size(value.text()).value_or(0); }

GitSettings read_git(const Value& git) {
    GitSettings settings;
    settings.repository = normal(git["repository"].text());
    settings.branch = git["branch"].text();
    settings.directory = normal(git["directory"].text());
    settings.remote = git["remote"].text();
    settings.interval = parse_duration(git["interval"].text()).value_or(settings.interval);
    settings.key = normal(git["key"].text());
    settings.known_hosts = normal(git["knownHosts"].text());
    settings.allowed_signers = normal(git["allowedSigners"].text());
    return settings;
}

Config read(const Value& root) {
    Config config;
    const Value source = root["source"];
    config.source_directory = normal(source["directory"].text());
    if (source["git"].node != nullptr) config.git = read_git(source["git"]);
    const Value metrics = root["metrics"];
    config.metrics_textfile = normal(metrics["textfile"].text());
    config.metrics_port = static_cast<std::uint16_t>(integer(metrics["port"]));
    if (const Value roots = root["overlayRoots"]; roots.node != nullptr) {
        config.limits.overlay_roots = texts(roots);
        for (std::string& path : config.limits.overlay_roots) path = normal(path);
    }
    config.limits.private_networks = texts(root["downloads"]["allowPrivate"]);
    config.limits.steamcmd = normal(root["steamcmd"].text());
    const Value limits = root["limits"];
    config.limits.file_bytes = size(limits["fileBytes"]);
    config.limits.documents = integer(limits["documents"]);
    config.limits.depth = integer(limits["depth"]);
    config.keep_artifacts = integer(limits["keepArtifacts"]);
    config.limits.source = {.bytes = size(limits["overlayBytes"]),
                            .entries = integer(limits["overlayEntries"])};
    return config;
}

/// Checks errors that would otherwise only show when the first fetch fails.
void check_remote(const Value& git, const GitSettings& settings, Reporter& reporter) {
    const auto url = parse_remote_url(settings.remote);
    if (!url || url->scheme != RemoteUrl::Scheme::Ssh) return;
    const yaml::Mark& mark = git["remote"].node->mark;
    if (settings.known_hosts.empty()) {
        reporter.add(Rule::Other, mark,
                     "an ssh remote needs knownHosts: a file with the host's key (ssh-keyscan HOST prints "
                     "it; compare it with the key that the host's owner publishes)");
    }
    if (settings.key.empty()) {
        reporter.add(Rule::Other, mark, "an ssh remote needs key: the private key to log in with");
    }
}

/// A file in /etc/left4me/secrets may end up in a server's config if a Blueprint lists it. Hosts that keep
/// their key there, as version 0.1 advised, continue to work; until it is moved, no Blueprint may use it.
void check_key(const Value& git, Config& config, Reporter& warnings) {
    const std::filesystem::path& key = config.git->key;
    const std::filesystem::path secrets = Paths{}.secrets();
    if (key.parent_path() != secrets) return;
    config.limits.reserved_secrets.push_back(key.filename().string());
    const std::filesystem::path there = Paths{}.git_keys() / key.filename();
    warnings.add(Rule::Other, git["key"].node->mark,
                 fmt::format("a git key does not belong in {0}, whose files Blueprints use; move it:\n"
                             "  sudo install -d -o left4me -g left4me -m 0700 {3}\n"
                             "  sudo mv {1} {2}\n"
                             "  and write `key: {2}`",
                             secrets.string(), key.string(), there.string(), there.parent_path().string()));
}

/// The one document of the text; no document at all is an empty one.
std::string_view only_document(const std::string& name, std::string_view text, int& line,
                               Diagnostics& diagnostics) {
    std::string_view only;
    for (const DocumentSpan& span : split_documents(text)) {
        const std::string_view document = text.substr(span.begin, span.end - span.begin);
        if (is_blank(document)) continue;
        if (!only.empty()) {
            diagnostics.push_back({{name, span.line, 1}, "a configuration is one document"});
            break;
        }
        only = document;
        line = span.line;
    }
    return only;
}

}  // namespace

std::expected<Config, Diagnostics> parse_config(const std::string& name, const std::string& text) {
    Diagnostics diagnostics;
    Diagnostics warnings;
    int line = 1;
    const std::string_view document = only_document(name, text, line, diagnostics);
    Reporter reporter(name, line, document, diagnostics);
    const yaml::Document parsed = yaml::parse(document, {.first_line = line});
    for (const yaml::Problem& problem : parsed.problems)
        reporter.add(problem.rule, problem.mark, problem.message);
    if (parsed.root == nullptr) return std::unexpected(std::move(diagnostics));
    if (parsed.root->kind == yaml::Node::Kind::Null || parsed.root->kind == yaml::Node::Kind::Map) {
        check_fields(*parsed.root, config_table(), reporter);
    } else {
        reporter.add(Rule::Other, parsed.root->mark, "the configuration must be a map of settings");
    }
    if (!diagnostics.empty()) return std::unexpected(std::move(diagnostics));

    const Value root{parsed.root.get(), &config_table()};
    Config config = read(root);
    if (config.git) {
        const Value git = root["source"]["git"];
        Reporter warner(name, line, document, warnings);
        check_remote(git, *config.git, reporter);
        check_key(git, config, warner);
    }
    if (!diagnostics.empty()) return std::unexpected(std::move(diagnostics));
    config.warnings = std::move(warnings);
    return config;
}

}  // namespace left4me
