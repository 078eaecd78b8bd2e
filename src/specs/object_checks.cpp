#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "specs/cpus.hpp"
#include "specs/name.hpp"
#include "specs/pins.hpp"
#include "specs/placeholders.hpp"
#include "specs/remote_url.hpp"
#include "specs/text.hpp"
#include "specs/validate.hpp"

namespace left4me {
namespace {

using yaml::Entry;
using yaml::Node;

/// spec.NAME; nullptr if it is missing.
const Node* spec_field(const Node& root, std::string_view name) {
    const Node* spec = root.kind == Node::Kind::Map ? root.get("spec") : nullptr;
    return spec == nullptr || spec->kind != Node::Kind::Map ? nullptr : spec->get(name);
}

/// A path cannot be both a file and a directory.
void check_file_conflicts(const Node& overlay, Reporter& reporter) {
    const Node* spec = overlay.get("spec");
    const Node* source = spec == nullptr ? nullptr : spec->get("source");
    const Node* text = source == nullptr ? nullptr : source->get("inline");
    const Node* files = text == nullptr ? nullptr : text->get("files");
    if (files == nullptr) return;
    std::map<std::string_view, const Entry*> by_path;
    for (const Entry& entry : files->entries) {
        if (!entry.key.empty()) by_path.emplace(entry.key, &entry);
    }
    for (const Entry& entry : files->entries) {
        const std::string_view path = entry.key;
        for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
             slash = path.find('/', slash + 1)) {
            if (!by_path.contains(path.substr(0, slash))) continue;
            reporter.add(
                Rule::FilePathConflict, entry.mark,
                fmt::format(
                    "spec.source.inline.files: {} cannot exist, because {} is a file; rename one of them",
                    in_quotes(path), in_quotes(path.substr(0, slash))));
            break;
        }
    }
}

/// Without items and collections, there is nothing.
void check_workshop(const Node& overlay, Reporter& reporter) {
    const Node* spec = overlay.get("spec");
    const Node* source = spec == nullptr ? nullptr : spec->get("source");
    const Node* workshop = source == nullptr ? nullptr : source->get("workshop");
    if (workshop == nullptr || workshop->kind != Node::Kind::Map) return;
    for (const char* name : {"items", "collections"}) {
        const Node* list = workshop->get(name);
        if (list != nullptr && (list->kind != Node::Kind::Sequence || !list->items.empty())) return;
    }
    reporter.add(Rule::SourceCount, workshop->mark,
                 "spec.source.workshop names nothing; give items, collections or both");
}

/// A server that is reached over ssh is known by its key, and by nothing else.
void check_host_keys(const Node& overlay, Reporter& reporter) {
    const Node* source = spec_field(overlay, "source");
    const Node* git = source == nullptr ? nullptr : source->get("git");
    const Node* url = git == nullptr ? nullptr : git->get("url");
    if (url == nullptr) return;
    const Node* keys = git->get("hostKeys");
    const auto remote = parse_remote_url(url->text);
    const bool is_ssh = remote && remote->scheme == RemoteUrl::Scheme::Ssh;
    if (is_ssh && keys == nullptr) {
        const std::string port = remote->port == 0 ? "" : fmt::format(" -p {}", remote->port);
        reporter.add(
            Rule::HostKeysMissing, url->mark,
            fmt::format("spec.source.git has no hostKeys, without which anybody could answer in the "
                        "place of {0}; add the key that `ssh-keyscan -t ed25519{1} {0}` prints, if it "
                        "is the one that its owner publishes",
                        remote->host, port));
    }
    if (!is_ssh && (remote || url->text.starts_with('/')) && keys != nullptr) {
        reporter.add(
            Rule::HostKeysUnused, keys->mark,
            "spec.source.git.hostKeys: only servers that are reached over ssh have host keys; remove it");
    }
}

/// What never moves needs no refresh, and would never get one.
void check_refresh(const Node& overlay, Reporter& reporter) {
    const Node* refresh = spec_field(overlay, "refresh");
    const Node* source = spec_field(overlay, "source");
    if (refresh == nullptr || source == nullptr || source->kind != Node::Kind::Map) return;
    const char* why = "only what git, workshop and mapIndex stand for moves upstream";
    for (const char* moving : {"git", "workshop", "mapIndex"}) {
        const Node* one = source->get(moving);
        if (one == nullptr) continue;
        const Node* ref = one->kind == Node::Kind::Map ? one->get("ref") : nullptr;
        if (ref == nullptr || !is_commit(ref->text)) return;
        why = "spec.source.git.ref is a commit, which does not move";
    }
    reporter.add(Rule::RefreshWithoutMoving, refresh->mark, fmt::format("spec.refresh: {}; remove it", why));
}

/// The same of the game: a build that the manifest names stays what it is.
void check_installation(const Node& installation, Reporter& reporter) {
    const Node* refresh = spec_field(installation, "refresh");
    if (refresh == nullptr || spec_field(installation, "build") == nullptr) return;
    reporter.add(Rule::RefreshWithoutMoving, refresh->mark,
                 "spec.refresh: spec.build says which build it is, which does not move; remove one of them");
}

std::optional<Cpus> cpus_of(const Node* node) {
    return node == nullptr || node->kind != Node::Kind::Scalar ? std::nullopt : parse_cpus(node->text);
}

/// What is kept off the games' processors must not be on them, and no game can have others.
void check_cpus(const Node& host, Reporter& reporter) {
    const Node* cpus = spec_field(host, "cpus");
    if (cpus == nullptr || cpus->kind != Node::Kind::Map) return;
    const auto games = cpus_of(cpus->get("games"));
    if (!games) return;
    const auto complain = [&](const Node& node, const Cpus& wrong, std::string_view path,
                              std::string_view why) {
        if (wrong.empty()) return;
        reporter.add(Rule::CpusContradict, node.mark,
                     fmt::format("{}: {} {}; take it out", path, to_text(wrong), why));
    };
    if (const auto system = cpus_of(cpus->get("system"))) {
        Cpus both;
        std::set_intersection(system->begin(), system->end(), games->begin(), games->end(),
                              std::inserter(both, both.end()));
        complain(*cpus->get("system"), both, "spec.cpus.system", "belongs to spec.cpus.games, too");
    }
    const Node* labeled = spec_field(host, "labeled");
    if (labeled == nullptr) return;
    for (std::size_t i = 0; i < labeled->items.size(); ++i) {
        const Node& item = *labeled->items[i];
        const Node* own = item.kind == Node::Kind::Map ? item.get("cpus") : nullptr;
        const auto wanted = cpus_of(own);
        if (!wanted) continue;
        Cpus others;
        std::set_difference(wanted->begin(), wanted->end(), games->begin(), games->end(),
                            std::inserter(others, others.end()));
        complain(*own, others, fmt::format("spec.labeled[{}].cpus", i), "does not belong to spec.cpus.games");
    }
}

/// Calls `use` for every secret that spec.config uses, with its position. An invalid name of a secret has a
/// separate message.
void for_each_secret(const Node& root, const Reporter& reporter,
                     const std::function<void(const PlaceholderToken&, const yaml::Mark&)>& use) {
    const Node* config = spec_field(root, "config");
    if (config == nullptr || config->kind != Node::Kind::Scalar) return;
    std::size_t offset = 0;
    for (const PlaceholderToken& piece : placeholder_tokens(config->text)) {
        if (piece.kind == PlaceholderToken::Kind::Secret && is_valid_secret_file(piece.inner))
            use(piece, reporter.within(*config, offset));
        offset += piece.source.size();
    }
}

/// A blueprint lists the secrets that it uses, so that nobody publishes another one with a line in config.
void check_secrets(const Node& blueprint, Reporter& reporter) {
    const Node* listed = spec_field(blueprint, "secrets");
    std::set<std::string_view> allowed;
    if (listed != nullptr) {
        for (const yaml::NodePtr& item : listed->items) allowed.insert(item->text);
    }
    for_each_secret(blueprint, reporter, [&](const PlaceholderToken& piece, const yaml::Mark& mark) {
        if (!allowed.insert(piece.inner).second) return;  // each secret is reported once
        const std::string remedy = listed == nullptr
                                       ? fmt::format("add `secrets: [{}]` to the spec", piece.inner)
                                       : fmt::format("add {} to that list", in_quotes(piece.inner));
        reporter.add(
            Rule::SecretNotListed, mark,
            fmt::format("spec.config: {} is not among spec.secrets, which name the secrets that this "
                        "Blueprint may use; {}",
                        in_quotes(piece.source), remedy));
    });
}

/// Only what a server has among its layers can be run.
void check_executed(const Node& blueprint, Reporter& reporter) {
    const Node* executed = spec_field(blueprint, "executeConfigs");
    if (executed == nullptr) return;
    const Node* overlays = spec_field(blueprint, "overlays");
    std::vector<std::string_view> listed;
    if (overlays != nullptr) {
        for (const yaml::NodePtr& item : overlays->items) listed.emplace_back(item->text);
    }
    for (std::size_t i = 0; i < executed->items.size(); ++i) {
        const Node& item = *executed->items[i];
        if (!is_valid_name(item.text)) continue;  // which has a message of its own
        if (std::find(listed.begin(), listed.end(), item.text) != listed.end()) continue;
        std::string hint = did_you_mean(item.text, listed);
        if (hint.empty()) hint = "; add it there, or remove it here";
        reporter.add(Rule::ExecutedNotListed, item.mark,
                     fmt::format("spec.executeConfigs[{}]: {} is not among spec.overlays{}", i,
                                 in_quotes(item.text), hint));
    }
}

/// An entry says one thing, and commands need a console.
void check_schedule(const Node& blueprint, Reporter& reporter) {
    const Node* schedule = spec_field(blueprint, "schedule");
    if (schedule == nullptr) return;
    for (std::size_t i = 0; i < schedule->items.size(); ++i) {
        const Node& entry = *schedule->items[i];
        if (entry.kind != Node::Kind::Map) continue;
        const bool has_command = entry.get("command") != nullptr;
        if (has_command == (entry.get("action") != nullptr)) {
            reporter.add(Rule::ScheduledCount, entry.mark,
                         fmt::format("spec.schedule[{}] has {}; give exactly one of action and command", i,
                                     has_command ? "both action and command" : "neither action nor command"));
        } else if (has_command && spec_field(blueprint, "rcon") == nullptr) {
            reporter.add(Rule::ScheduledWithoutConsole, entry.get("command")->mark,
                         fmt::format("spec.schedule[{}].command: left4me cannot use the game's console; add "
                                     "`rcon: {{secret: rcon}}` to the spec",
                                     i));
        }
    }
}

}  // namespace

void check_reserved_secrets(const Node& root, const std::vector<std::string>& reserved, Reporter& reporter) {
    if (reserved.empty()) return;
    for_each_secret(root, reporter, [&](const PlaceholderToken& piece, const yaml::Mark& mark) {
        if (std::find(reserved.begin(), reserved.end(), piece.inner) == reserved.end()) return;
        reporter.add(Rule::SecretReserved, mark,
                     fmt::format("spec.config: {} is the host's key for its git remote, which no Blueprint "
                                 "may use; remove it",
                                 in_quotes(piece.source)));
    });
}

void check_object(Kind kind, const yaml::Node& root, Reporter& reporter) {
    switch (kind) {
        case Kind::Server:
            return;
        case Kind::Blueprint:
            check_secrets(root, reporter);
            check_schedule(root, reporter);
            return check_executed(root, reporter);
        case Kind::Overlay:
            check_workshop(root, reporter);
            check_host_keys(root, reporter);
            check_refresh(root, reporter);
            return check_file_conflicts(root, reporter);
        case Kind::Installation:
            return check_installation(root, reporter);
        case Kind::Host:
            return check_cpus(root, reporter);
    }
}

}  // namespace left4me
