#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "specs/diagnostic.hpp"
#include "specs/grammars/calendar.hpp"
#include "specs/grammars/share.hpp"
#include "specs/kind.hpp"
#include "specs/pins.hpp"
#include "specs/tuning.hpp"

namespace left4me {

inline constexpr const char* api_version = "left4me/v1";

/// The position of a document, so that `apply`, `start` and `delete` can edit the text that a person wrote.
struct Origin {
    Location where;            ///< the first key of the document
    std::size_t document = 0;  ///< index of the document within its file, from 0
};

struct Metadata {
    std::string name;
    std::map<std::string, std::string> labels;

    bool operator==(const Metadata&) const = default;
};

/// Limits of one overlay's source: disk space, and the time to read it.
struct SourceLimits {
    std::uint64_t bytes = 256ULL << 30U;  ///< of data; holes of sparse files do not count
    std::uint64_t entries = 200'000;      ///< files, directories and links

    bool operator==(const SourceLimits&) const = default;
};

/// The overlay's files are copied from a directory of the host.
struct DirectorySource {
    std::string path;  ///< absolute and normalised, as the manifest says
    /// The declared root that the path is opened beneath, without following a symlink; `path` is in it.
    std::string root;
    SourceLimits limits;

    bool operator==(const DirectorySource&) const = default;
};

/// The overlay's files are written in the manifest: relative path → content.
struct InlineSource {
    std::map<std::string, std::string> files;

    bool operator==(const InlineSource&) const = default;
};

/// Where an archive is: one of several places with the same bytes.
struct ArchiveLocation {
    std::string url;   ///< `https://…`, or the absolute path of a file on this host
    std::string root;  ///< of a file: as DirectorySource::root; empty: an https URL

    bool operator==(const ArchiveLocation&) const = default;
};

/// The overlay's files are unpacked from an archive that its SHA-256 identifies.
struct ArchiveSource {
    std::vector<ArchiveLocation> locations;  ///< the first that has the file is used
    std::string sha256;                      ///< of the archive, 64 lower-case hexadecimal digits
    std::string into;                        ///< directory within the overlay; empty: its root
    std::size_t strip_components = 0;        ///< how many leading names of each path are removed
    std::vector<std::string> exclude;        ///< patterns of what is left out
    SourceLimits limits;                     ///< of the archive, and of its content
    /// Networks with addresses that are not public and may be downloaded from all the same, as 10.0.0.0/8.
    std::vector<std::string> private_networks;

    bool operator==(const ArchiveSource&) const = default;
};

/// The overlay's files are those of one commit of a git repository.
struct GitSource {
    std::string url;   ///< `https://…`, `ssh://…`, `user@host:path`, or the absolute path of one on this host
    std::string root;  ///< of a repository on this host: as DirectorySource::root
    std::string ref;   ///< a branch, a tag, or all 40 digits of a commit; empty: HEAD
    std::string path;  ///< the directory of the repository that is taken; empty: all of it
    std::string into;  ///< as ArchiveSource::into
    std::vector<std::string> exclude;           ///< as ArchiveSource::exclude
    SourceLimits limits;                        ///< of what is downloaded, and of its content
    std::vector<std::string> private_networks;  ///< as ArchiveSource::private_networks
    std::optional<GitPin> pin = {};             ///< of the lock file; nullopt: what `ref` stands for
    std::vector<std::string> host_keys = {};    ///< of a server that is reached over ssh: "TYPE BASE64"

    bool operator==(const GitSource&) const = default;
};

/// The overlay's files are the maps that an index names: CSV with NAME;SIZE;MD5;LINK, links to archives with
/// one VPK each.
struct MapIndexSource {
    std::string url;                            ///< `https://…`
    std::vector<std::string> exclude;           ///< patterns of names of maps that are left out
    SourceLimits limits;                        ///< of all maps together
    std::vector<std::string> private_networks;  ///< as in ArchiveSource
    std::optional<MapIndexPin> pin = {};        ///< of the lock file; nullopt: what the index says

    bool operator==(const MapIndexSource&) const = default;
};

/// The overlay's files are items of the Steam workshop, by their numbers.
struct WorkshopSource {
    std::vector<std::string> items;
    std::vector<std::string> collections;       ///< whose items are meant, also those of nested ones
    std::vector<std::string> exclude;           ///< items and collections that are left out
    SourceLimits limits;                        ///< of all items together
    std::vector<std::string> private_networks;  ///< as in ArchiveSource
    std::optional<WorkshopPin> pin = {};        ///< of the lock file; nullopt: what Steam says

    bool operator==(const WorkshopSource&) const = default;
};

/// What a script may reach. Public: addresses of the internet alone, through `left4me-proxy@NAME.service`.
enum class ScriptNetwork { None, Public };

/// The overlay's files are what a script leaves in its working directory; it runs in
/// `left4me-script@NAME.service` and is not trusted.
struct ScriptSource {
    std::string run;  ///< the text of a bash script
    ScriptNetwork network = ScriptNetwork::None;
    std::chrono::seconds timeout{};
    std::uint64_t memory = 0;  ///< bytes of address space, of each of its processes
    std::uint64_t disk = 0;    ///< bytes of what it leaves
    SourceLimits limits;       ///< of what it leaves

    bool operator==(const ScriptSource&) const = default;
};

/// The game itself, which steamcmd fetches from Steam: the source of an Installation.
struct SteamSource {
    std::string build;                 ///< the number that the build must have; empty: the newest
    std::string steamcmd;              ///< the absolute path of the program, as this host is configured
    SourceLimits limits;               ///< of what it leaves
    std::optional<SteamPin> pin = {};  ///< of the lock file; nullopt: what is the newest

    bool operator==(const SteamSource&) const = default;
};

using OverlaySource = std::variant<DirectorySource, InlineSource, ArchiveSource, GitSource, MapIndexSource,
                                   WorkshopSource, ScriptSource, SteamSource>;

/// The kind of the objects that have such a source. An Installation is an Overlay whose source is Steam, and
/// which is the lowest of the layers.
constexpr Kind kind_of(const OverlaySource& source) {
    return std::holds_alternative<SteamSource>(source) ? Kind::Installation : Kind::Overlay;
}

/// The functions of a std::visit, one for each alternative: the compiler finds every place that a new kind of
/// source needs.
template <typename... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};

struct Overlay {
    Metadata metadata;
    OverlaySource source;
    Origin origin;
    /// When its pin is moved forward; nullopt: when somebody runs `l4d2ctl lock`.
    std::optional<Calendar> refresh = {};
};

/// Something that is done to each server of a Blueprint at certain times, by the host's local time.
struct ScheduleEntry {
    std::string at;                           ///< as the manifest says
    Calendar times;                           ///< the same
    std::optional<std::string> command = {};  ///< for the game's console; nullopt: a restart
    bool when_empty = false;                  ///< the command waits until nobody plays

    bool operator==(const ScheduleEntry&) const = default;
};

/// How long a game that runs may be silent.
struct Health {
    std::chrono::seconds startup = std::chrono::minutes(3);  ///< after a start, until its first answer
    /// A game that has not read what it was sent for so long is restarted; nullopt: never.
    std::optional<std::chrono::seconds> unresponsive = {};

    bool operator==(const Health&) const = default;
};

/// How a change goes through the servers of a Blueprint.
struct BlueprintRollout {
    unsigned canary = 0;                                   ///< so many servers get it first; 0: none
    std::optional<Share> max_unavailable = {};             ///< nullopt: any number
    std::chrono::seconds soak = std::chrono::minutes(10);  ///< how long a canary must be healthy
    bool rollback_on_failure = false;  ///< one that fails returns to its last healthy rendering

    bool operator==(const BlueprintRollout&) const = default;
};

struct Blueprint {
    Metadata metadata;
    std::vector<std::string> overlays;  ///< uppermost first
    std::vector<std::string> arguments;
    std::string config;  ///< becomes left4dead2/cfg/server.cfg
    Origin origin;
    /// Patterns of what the game may keep across starts; nullopt: default_writable.
    std::optional<std::vector<std::string>> writable = {};
    /// Some of `overlays`, whose server.cfg runs before `config`, in this order.
    std::vector<std::string> execute_configs = {};
    /// The secret with the password of the game's console; nullopt: left4me does not use it.
    std::optional<std::string> rcon_secret = {};
    /// Variables of the game's console, by name: what they are set to.
    std::map<std::string, std::string> cvars = {};
    std::vector<ScheduleEntry> schedule = {};
    Health health = {};
    BlueprintRollout rollout = {};
    /// The Installation at the bottom; nullopt: `default` if there is one, or what is at `installation`.
    std::optional<std::string> installation = {};
};

/// The Installation of Blueprints that name none.
inline constexpr const char* default_installation = "default";

enum class RunState { Running, Stopped };
enum class RolloutPolicy { OnNextStart, WhenEmpty, Immediate };
enum class DriftPolicy { Correct, Report };

/// A part of each day by the host's local time: from a minute until another one, perhaps of the next day.
struct DailyWindow {
    std::chrono::minutes from{};
    std::chrono::minutes until{};

    bool operator==(const DailyWindow&) const = default;
};

/// All but the policy: WhenEmpty only.
struct Rollout {
    RolloutPolicy policy = RolloutPolicy::OnNextStart;
    /// How long a change may be held before it is made anyway. None, and no `deadline_at`: forever.
    std::optional<std::chrono::seconds> deadline = {};
    /// The same as a time of day, by the host's local time: the first one after the change began to wait.
    std::optional<std::chrono::minutes> deadline_at = {};
    unsigned max_players = 0;  ///< as many may be there at a restart
    /// No restart for a change begins outside of it, not even after the deadline.
    std::optional<DailyWindow> window = {};
    std::vector<std::chrono::seconds> warn = {};  ///< before the deadline, over the game's console

    bool has_deadline() const { return deadline || deadline_at; }

    bool operator==(const Rollout&) const = default;
};

struct Server {
    Metadata metadata;
    std::string blueprint;
    std::uint16_t port = 0;
    RunState state = RunState::Running;
    Rollout rollout;
    DriftPolicy drift = DriftPolicy::Correct;
    Origin origin;
};

/// Settings of servers that have all of these labels; of two, the later one counts.
struct LabeledSettings {
    std::map<std::string, std::string> labels;
    UnitSettings settings;
};

/// The Host: how the machine is shared out. There is at most one, called host_name.
struct HostManifest {
    Metadata metadata;
    std::optional<Cpus> system_cpus;  ///< of everything but games; nullopt: all
    std::optional<Cpus> game_cpus;    ///< of all games; nullopt: all
    UnitSettings games;               ///< of each server
    std::vector<LabeledSettings> labeled;
    std::optional<unsigned>
        start_parallel;  ///< as many servers come up at the same time; nullopt: any number
    Origin origin;
};

inline constexpr const char* host_name = "this";

/// One whole, valid revision: every reference resolves, every name and port is unique.
struct ManifestSet {
    std::map<std::string, Overlay> overlays;  ///< and Installations: kind_of() their source
    std::map<std::string, Blueprint> blueprints;
    std::map<std::string, Server> servers;
    std::map<std::string, HostManifest> hosts = {};  ///< host_name, or none
    /// Pins of any overlays: some may be of none of these, or of another source than theirs.
    Lock lock = {};
};

const char* to_string(RunState state);
const char* to_string(RolloutPolicy policy);
const char* to_string(DriftPolicy policy);
const char* to_string(ScriptNetwork network);

}  // namespace left4me
