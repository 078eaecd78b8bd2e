#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconciler/build.hpp"
#include "reconciler/cvars.hpp"
#include "reconciler/local_time.hpp"
#include "reconciler/players.hpp"
#include "reconciler/reason.hpp"
#include "reconciler/time.hpp"
#include "specs/tuning.hpp"

namespace left4me {

/// systemd's ActiveState, org.freedesktop.systemd1(5).
enum class ActiveState { Inactive, Activating, Active, Deactivating, Failed };

/// Whether the unit starts at boot. Masked covers both /etc and /run masks.
enum class Enablement { Disabled, Enabled, Masked };

const char* to_string(ActiveState state);
const char* to_string(Enablement enablement);

/// What systemd reports about one `left4me-server@NAME.service`. A unit that is not loaded is Inactive.
struct ObservedUnit {
    ActiveState active = ActiveState::Inactive;
    std::string sub;  ///< SubState, e.g. "running", "auto-restart", "dead"
    Enablement enablement = Enablement::Disabled;
    /// Service's Result, only when Failed: "exit-code", "signal", "start-limit-hit", "timeout", …
    std::string result;
    FailureKind failure = FailureKind::Unknown;  ///< the same; Unknown if not Failed
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
    /// left4me rendered this server (`instances/NAME` exists), so left4me may also remove it.
    bool managed = false;
    /// The rendering that the next start will use, named by `instances/NAME/current`.
    std::optional<std::string> current;
    /// The content of that rendering, if it is complete; only if it is not the target's.
    std::optional<ObservedRendering> current_rendering;
    /// The other complete renderings on disk, by digest, that are not the target's either. Only if a canary
    /// may return to one of them.
    std::map<std::string, ObservedRendering> earlier = {};
    /// Files of the target's rendering that are missing or differ (drift by hand); empty if it is intact.
    /// Names are relative to the rendering, e.g. "server.env". If the rendering does not exist, just ".".
    std::vector<std::string> damaged;
    /// The lower layers of the mounted overlay, uppermost first; relative to the state directory if beneath
    /// it, else absolute. nullopt: nothing is mounted.
    std::optional<std::vector<std::string>> mounted;
    /// The same for what the running game still has in its own mount namespace although nothing is mounted on
    /// the host, because somebody unmounted it. Only for Active units without `mounted`.
    std::optional<std::vector<std::string>> mounted_in_game;
    /// The port and the text of server.env of the rendering in stack().
    std::optional<std::uint16_t> mounted_port;
    std::optional<std::string> mounted_environment;
    /// The text of its `writable`; nullopt: there was none.
    std::optional<std::string> mounted_writable = {};
    /// Files that the running game wrote but may not keep, as far as they hide a file of its layers or are
    /// code: their number, and the first names. The game chose the names.
    std::size_t shadowed = 0;
    std::vector<std::string> shadowed_names = {};
    /// A description of what its latest start set aside; empty: nothing. A different text means another
    /// start.
    std::string set_aside = {};
    /// Which directory `runtime/NAME` (upper, work, merged) is: one that is created anew has another
    /// identity. Empty: there is none.
    std::string runtime = {};
    /// systemd's InvocationID of a running game, in hexadecimal: a new one for every start (systemd.exec(5)).
    /// Only of those in Target::restarts; empty: not asked for, or not running.
    std::string invocation = {};
    /// nullopt: unknown (it does not answer, or nobody asks it), which counts as occupied.
    std::optional<ObservedPlayers> players = {};
    /// nullopt: there is none that can be asked, or the probe does not tell.
    std::optional<ObservedSocket> socket = {};
    /// The rendering in stack(), `instances/NAME/DIGEST`, if it gave the game a password for its console that
    /// left4me knows; empty: it did not.
    std::string console_rendering = {};
    /// nullopt: it was not asked lately. It says more than `players`: a lobby that has reserved the server.
    std::optional<ObservedConsole> console = {};
    /// nullopt: its console was not asked about them, or did not answer.
    std::optional<ObservedCvars> cvars = {};

    /// The layers in use: an overlay that the game still has counts as mounted.
    const std::optional<std::vector<std::string>>& stack() const {
        return mounted ? mounted : mounted_in_game;
    }
};

/// A left4me-build@NAME.service that builds, or is about to.
struct ObservedBuild {
    std::optional<BuildProgress> progress;  ///< nullopt: it has only begun

    bool operator==(const ObservedBuild&) const = default;
};

/// The drop-ins of left4me, and what they are about.
struct ObservedTuning {
    std::map<std::string, std::string> drop_ins;  ///< by unit: the text
    /// PID 1 has read the unit files since one of these was last written.
    bool is_loaded = true;
    /// The processors of the host that are online: those of one core together. Read only if the target is
    /// about processors.
    std::vector<Cpus> cores = {};

    bool operator==(const ObservedTuning&) const = default;
};

/// The units of left4me, as of one moment.
struct ObservedUnits {
    std::map<std::string, ObservedUnit> servers;  ///< whoever made them
    std::map<std::string, ObservedBuild> builds;  ///< those that are under way, by overlay
};

/// What the host reports, as of one moment.
struct Observed {
    TimePoint now;
    LocalTime local;            ///< the host's time zone
    bool installation = false;  ///< the game is there
    bool is_probed = false;     ///< left4me-probe is at work: a game that it does not tell of does not answer
    std::map<std::string, ObservedServer> servers;
    /// By overlay. As it was before the records of builds were read: what ended since is in its record.
    std::map<std::string, ObservedBuild> builds;
    /// Every finished artifact on disk, relative to the state directory: `overlays/A/DIGEST`,
    /// `instances/N/DIGEST`; and `overlays/A/.build`, in which the unit works.
    std::set<std::string> artifacts;
    ObservedTuning tuning = {};
    /// When a build last gave each of those that are artifacts of overlays, whether it was new or there.
    std::map<std::string, TimePoint> built = {};
};

/// By server: what is known of their players.
inline std::map<std::string, ObservedPlayers> players_of(const Observed& observed) {
    std::map<std::string, ObservedPlayers> players;
    for (const auto& [name, server] : observed.servers) {
        if (server.players) players.emplace(name, *server.players);
    }
    return players;
}

}  // namespace left4me
