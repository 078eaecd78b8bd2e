#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

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

    bool operator==(const ObservedUnit&) const = default;
};

/// One overlay of the revision, as its source and the store of generations stand now.
struct ObservedOverlay {
    /// The generation that the source's content asks for, or why it cannot be told (e.g. an unreadable
    /// directory).
    std::expected<std::string, std::string> wanted = std::unexpected(std::string("not observed"));
};

/// A server's rendering: one immutable, content-addressed directory `instances/NAME/GENERATION` with
/// server.env, the list of layers and the instance layer. `instances/NAME/current` points at the one the next
/// start will use.
struct WantedRendering {
    std::string generation;
    /// The whole layer stack, uppermost first, relative to the state directory:
    /// `instances/NAME/GEN/layer`, `overlays/A/GEN`…, `installation`.
    std::vector<std::string> layers;

    bool operator==(const WantedRendering&) const = default;
};

/// One server, whether the manifests name it or not.
struct ObservedServer {
    ObservedUnit unit;
    /// left4me rendered this server once (`instances/NAME` exists): it is ours, and ours to prune.
    bool ours = false;
    /// What the rendering should be, or why it cannot be told (a secret is missing, an overlay is not
    /// readable). Only for servers that the revision names.
    std::expected<WantedRendering, std::string> wanted = std::unexpected(std::string("not desired"));
    /// The rendering that the next start will use.
    std::optional<std::string> current;
    /// Files of the wanted rendering that are missing or differ from what was rendered (drift by hand); empty
    /// when the wanted rendering is whole. Names are relative to the rendering, e.g. "server.env". When the
    /// wanted rendering does not exist at all, this holds just ".".
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
    /// Human players in the game; nullopt: not known, which counts as occupied.
    std::optional<unsigned> players;

    /// The layers that are in use: an overlay that the game still has is as good as mounted.
    const std::optional<std::vector<std::string>>& stack() const { return mounted ? mounted : held_by_game; }
};

/// What failed lately and when it is tried again; see backoff.hpp.
struct Backoff {
    unsigned failures = 0;  ///< in a row, each less than ten minutes after the one before
    std::optional<TimePoint> failed_at;
    std::optional<TimePoint> retry_at;
    bool crashed = false;  ///< the last one: the unit failed, or could not be started
    /// That failure has been counted, but not corrected yet: what corrects it is no second one.
    bool pending = false;
    std::string reason;  ///< of the last one, CamelCase
    std::string message;
    std::string asked;  ///< what was asked when it failed; anything else is tried at once

    bool operator==(const Backoff&) const = default;
};

/// The memory of earlier passes, read back from the status file. Losing it is safe: deadlines start over.
struct Remembered {
    std::string fingerprint;              ///< of the DesiredServer and rendering that was last fully applied
    std::optional<TimePoint> held_since;  ///< since when a change waits for its rollout
    /// The revision whose stop or deletion of this server waits for a person. Kept, so that the servers which
    /// the same revision starts do not make it look harmless by and by.
    std::string awaits_approval;
    std::string set_aside = {};  ///< ObservedServer::set_aside, as it was told of
    Backoff backoff;

    bool operator==(const Remembered&) const = default;
};

/// What the host reports: one moment, read as a whole.
struct Observed {
    TimePoint now;
    bool installation = false;  ///< the game is there
    std::map<std::string, ObservedOverlay> overlays;
    std::map<std::string, ObservedServer> servers;
    /// Every finished generation on disk, relative to the state directory: `overlays/A/GEN`,
    /// `instances/N/GEN`.
    std::set<std::string> generations;
    /// Filled in by recall() from the previous status, not by the host.
    std::map<std::string, Remembered> remembered;
    std::map<std::string, Backoff> remembered_overlays;
};

}  // namespace left4me
