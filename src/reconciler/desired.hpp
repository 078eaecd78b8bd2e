#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reconciler/cvars.hpp"
#include "reconciler/pinning.hpp"
#include "specs/manifest.hpp"

namespace left4me {

/// What the manifests ask of one server, with its blueprint merged in (a live link: there are no overrides).
struct DesiredServer {
    std::string name;
    std::uint16_t port = 0;
    RunState state = RunState::Running;
    Rollout rollout;
    DriftPolicy drift = DriftPolicy::Correct;
    std::string blueprint;
    Health health = {};
    BlueprintRollout blueprint_rollout = {};
    std::vector<std::string> overlays;  ///< uppermost first
    std::string environment;            ///< the text of server.env; never contains a secret
    std::string config;                 ///< the text of server.cfg; `${secret:FILE}` is still a placeholder
    /// The text of `writable`, one pattern per line; nullopt: default_writable, and no such file.
    std::optional<std::string> writable = {};
    /// Those of `overlays` whose server.cfg is rendered as executed_config_path(), which `config` runs.
    std::vector<std::string> execute_configs = {};
    std::vector<ScheduleEntry> schedule = {};
    Cvars cvars = {};
    bool has_console = false;  ///< the game has a password that left4me knows
    /// The Installation whose artifact is the lowest layer; empty: `installation` of version 0.1.
    std::string installation = {};

    /// What has artifacts that are its layers: the overlays, and the Installation if there is one.
    std::vector<std::string> artifacts() const;

    bool operator==(const DesiredServer&) const = default;
};

/// What one revision of the manifests asks of the host.
struct Desired {
    std::string revision;
    std::map<std::string, OverlaySource> overlays;  ///< with their pins
    std::map<std::string, DesiredServer> servers;
    std::map<std::string, Calendar> refreshes = {};  ///< by overlay: when its pin is moved forward
    std::vector<StalePin> stale_pins = {};
    Tuning tuning = {};                           ///< of units that are to have drop-ins of left4me
    std::optional<unsigned> start_parallel = {};  ///< HostManifest::start_parallel
};

/// The Installation of a Blueprint; empty: it has none, and uses what is in `installation`.
std::string installation_of(const ManifestSet& set, const Blueprint& blueprint);
/// Overlay or Installation: what has the artifacts of this name. Overlay if no manifest names it any more.
Kind kind_of_artifacts(const Desired& desired, const std::string& name);
Kind kind_of_artifacts(const ManifestSet& set, const std::string& name);
/// "overlay/NAME", or "installation/NAME": what has the artifacts of this name.
std::string artifact_owner(const Desired& desired, const std::string& name);
std::string artifact_owner(const ManifestSet& set, const std::string& name);

/// Where a server has the server.cfg of one of its overlays, relative to the game's root:
/// "left4dead2/cfg/server_tickrate.cfg".
std::string executed_config_path(const std::string& overlay);

/// The text of cvars_config, which server.cfg runs; empty: there is no such file.
std::string cvars_text(const Cvars& cvars);

/// The settings of every unit that is to have a drop-in: a server that has those of all needs none.
Tuning make_tuning(const HostManifest& host, const std::map<std::string, Server>& servers);

/// Merges blueprints into servers and expands `${name}` and `${port}`. `set` must come from load(), which has
/// checked every reference.
Desired make_desired(const ManifestSet& set, std::string revision);

}  // namespace left4me
