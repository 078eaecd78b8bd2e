#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconciler/build.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// systemd's ActiveState, org.freedesktop.systemd1(5).
enum class ActiveState { Inactive, Activating, Active, Deactivating, Failed };

/// Whether the unit starts at boot. Masked covers both /etc and /run masks.
enum class Enablement { Disabled, Enabled, Masked };

const char* to_string(ActiveState state);
const char* to_string(Enablement enablement);

/// What systemd says about one `left4me-server@NAME.service`. A unit that is not loaded is Inactive.
struct ObservedUnit {
    ActiveState active = ActiveState::Inactive;
    std::string sub;  ///< SubState, e.g. "running", "auto-restart", "dead"
    Enablement enablement = Enablement::Disabled;
    /// Service's Result, only when Failed: "exit-code", "signal", "start-limit-hit", "timeout", …
    std::string result;
    /// When it became Active, which every start by systemd itself renews (ActiveEnterTimestamp). Only when
    /// Active; nullopt: PID 1 does not tell.
    std::optional<TimePoint> active_since = {};
    /// How often systemd has started it again by itself since somebody asked for a start (NRestarts). Only
    /// when Active.
    unsigned restarts = 0;

    bool operator==(const ObservedUnit&) const = default;
};

/// A rendering on disk that is not the target's.
struct ObservedRendering {
    std::vector<std::string> layers;    ///< as its list of layers has them, the instance layer included
    std::optional<std::uint16_t> port;  ///< of its server.env

    bool operator==(const ObservedRendering&) const = default;
};

/// One server, whether the manifests name it or not.
struct ObservedServer {
    ObservedUnit unit;
    /// left4me rendered this server once (`instances/NAME` exists): it is ours, and ours to prune.
    bool ours = false;
    /// The rendering that the next start will use: `instances/NAME/current` names it.
    std::optional<std::string> current;
    /// What is in that one, if it is complete; only where it is not the target's.
    std::optional<ObservedRendering> current_rendering;
    /// Files of the target's rendering that are missing or differ from what was rendered (drift by hand);
    /// empty when it is whole. Names are relative to the rendering, e.g. "server.env". When it does not exist
    /// at all, this holds just ".".
    std::vector<std::string> damaged;
    /// The lower layers of the mounted overlay, uppermost first, relative to the state directory where they
    /// lie beneath it, else absolute. nullopt: nothing is mounted there.
    std::optional<std::vector<std::string>> mounted;
    /// The same of what the running game still has in its own mount namespace, though nothing is mounted on
    /// the host: somebody unmounted it by hand. Only for units that are Active and have no `mounted`.
    std::optional<std::vector<std::string>> held_by_game;
    /// The port and the text of server.env that the rendering in stack() was made with.
    std::optional<std::uint16_t> mounted_port;
    std::optional<std::string> mounted_environment;
    /// The text of `writable` that it was made with; nullopt: there was none.
    std::optional<std::string> mounted_writable = {};
    /// What the running game wrote and may not keep, as far as it hides a file of its layers or is code: how
    /// many files, and the first of them. The game chose the names.
    std::size_t shadowed = 0;
    std::vector<std::string> shadowed_names = {};
    /// What its latest start with such a finding set aside, in words; empty: none did. Other words are
    /// another start.
    std::string set_aside = {};
    /// `runtime/NAME` exists (upper, work, merged).
    bool runtime = false;
    /// systemd's InvocationID of a running game, in hexadecimal: a new one for every start (systemd.exec(5)).
    /// Only of those in Target::restarts; empty: not asked for, or not running.
    std::string invocation = {};
    /// Human players in the game; nullopt: not known, which counts as occupied.
    std::optional<unsigned> players;

    /// The layers that are in use: an overlay that the game still has is as good as mounted.
    const std::optional<std::vector<std::string>>& stack() const { return mounted ? mounted : held_by_game; }
};

/// A left4me-build@NAME.service that builds, or is about to.
struct ObservedBuild {
    std::optional<BuildProgress> progress;  ///< nullopt: it has only begun

    bool operator==(const ObservedBuild&) const = default;
};

/// What the host reports: one moment, read as a whole.
struct Observed {
    TimePoint now;
    bool installation = false;  ///< the game is there
    std::map<std::string, ObservedServer> servers;
    /// By overlay. As it was before the records of builds were read: what ended since is in its record.
    std::map<std::string, ObservedBuild> builds;
    /// Every finished generation on disk, relative to the state directory: `overlays/A/GEN`,
    /// `instances/N/GEN`; and `overlays/A/.build`, in which the unit works.
    std::set<std::string> generations;
};

}  // namespace left4me
