#include "reconciler/desired.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "reconciler/console.hpp"
#include "specs/placeholders.hpp"
#include "specs/writable.hpp"

namespace left4me {
namespace {

bool is_plain(char c) {
    constexpr std::string_view others = "_@%+=:,./-";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
}

/// One word of POSIX sh that means exactly `text`, whatever it contains.
std::string shell_word(std::string_view text) {
    if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'') {
            word += "'\\''";
        } else {
            word += c;
        }
    }
    return word + "'";
}

/// server.env is sourced by the unprivileged launcher: the arguments become its positional parameters.
std::string environment_text(const DesiredServer& server, const std::vector<std::string>& arguments) {
    std::string text = fmt::format("L4D2_NAME={}\nL4D2_PORT={}\nset --", server.name, server.port);
    for (const std::string& argument : arguments) {
        text += ' ';
        text += shell_word(expand_argument(argument, server.name, server.port));
    }
    return text + "\n";
}

/// The default list has no file, so renderings of version 0.1 are the same as today's, and an upgrade renders
/// and restarts nothing.
std::optional<std::string> writable_text(const std::optional<std::vector<std::string>>& patterns) {
    if (!patterns ||
        std::equal(patterns->begin(), patterns->end(), default_writable.begin(), default_writable.end()))
        return std::nullopt;
    std::string text;
    for (const std::string& pattern : *patterns) text += pattern + "\n";
    return text;
}

/// The game looks for it in left4dead2/cfg.
std::string executed_config_name(const std::string& overlay) { return fmt::format("server_{}.cfg", overlay); }

constexpr std::string_view config_directory =
    std::string_view(server_config).substr(0, std::string_view(server_config).rfind('/') + 1);

/// The text of server.cfg. Without executeConfigs it is that of version 0.1, and with it the digest of the
/// rendering: an upgrade renders and restarts nothing.
std::string config_text(const Blueprint& blueprint, const std::string& name, std::uint16_t port) {
    std::string text;
    for (const std::string& overlay : blueprint.execute_configs)
        text += fmt::format("exec {}\n", executed_config_name(overlay));
    text += expand_config(blueprint.config, name, port);
    if (!blueprint.cvars.empty())
        text += fmt::format("\nexec {}\n", std::string_view(cvars_config).substr(config_directory.size()));
    if (blueprint.rcon_secret) text += console_config(*blueprint.rcon_secret);
    return text;
}

}  // namespace

std::string installation_of(const ManifestSet& set, const Blueprint& blueprint) {
    if (blueprint.installation) return *blueprint.installation;
    const auto found = set.overlays.find(default_installation);
    const bool there = found != set.overlays.end() && kind_of(found->second.source) == Kind::Installation;
    return there ? default_installation : std::string();
}

std::vector<std::string> DesiredServer::artifacts() const {
    std::vector<std::string> names = overlays;
    if (!installation.empty()) names.push_back(installation);
    return names;
}

Kind kind_of_artifacts(const Desired& desired, const std::string& name) {
    const auto found = desired.overlays.find(name);
    return found == desired.overlays.end() ? Kind::Overlay : kind_of(found->second);
}

Kind kind_of_artifacts(const ManifestSet& set, const std::string& name) {
    const auto found = set.overlays.find(name);
    return found == set.overlays.end() ? Kind::Overlay : kind_of(found->second.source);
}

std::string artifact_owner(const Desired& desired, const std::string& name) {
    return fmt::format("{}/{}", to_string(kind_of_artifacts(desired, name)), name);
}

std::string artifact_owner(const ManifestSet& set, const std::string& name) {
    return fmt::format("{}/{}", to_string(kind_of_artifacts(set, name)), name);
}

std::string executed_config_path(const std::string& overlay) {
    return std::string(config_directory) + executed_config_name(overlay);
}

std::string cvars_text(const Cvars& cvars) {
    std::string text;
    for (const auto& [name, value] : cvars) text += fmt::format("{} \"{}\"\n", name, value);
    return text;
}

Desired make_desired(const ManifestSet& set, std::string revision) {
    Desired desired;
    desired.revision = std::move(revision);
    desired.stale_pins = stale_pins(set);
    for (const auto& [name, overlay] : set.overlays) {
        desired.overlays.emplace(name, pinned_source(set, name));
        if (overlay.refresh) desired.refreshes.emplace(name, *overlay.refresh);
    }
    if (const auto host = set.hosts.find(host_name); host != set.hosts.end()) {
        desired.tuning = make_tuning(host->second, set.servers);
        desired.start_parallel = host->second.start_parallel;
    }
    for (const auto& [name, manifest] : set.servers) {
        const Blueprint& blueprint = set.blueprints.at(manifest.blueprint);
        DesiredServer server;
        server.name = name;
        server.port = manifest.port;
        server.state = manifest.state;
        server.rollout = manifest.rollout;
        server.drift = manifest.drift;
        server.blueprint = manifest.blueprint;
        server.health = blueprint.health;
        server.blueprint_rollout = blueprint.rollout;
        server.overlays = blueprint.overlays;
        server.environment = environment_text(server, blueprint.arguments);
        server.config = config_text(blueprint, name, manifest.port);
        server.execute_configs = blueprint.execute_configs;
        server.writable = writable_text(blueprint.writable);
        server.schedule = blueprint.schedule;
        for (const auto& [cvar, value] : blueprint.cvars)
            server.cvars.emplace(cvar, expand_argument(value, name, manifest.port));
        server.has_console = blueprint.rcon_secret.has_value();
        server.installation = installation_of(set, blueprint);
        desired.servers.emplace(name, std::move(server));
    }
    return desired;
}

}  // namespace left4me
