#include "specs/fields.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "specs/manifest.hpp"
#include "specs/name.hpp"
#include "specs/text_checks.hpp"
#include "specs/writable.hpp"

namespace left4me {
namespace {

constexpr std::int64_t name_length = max_name_length;
constexpr std::int64_t kib = 1024;

constexpr std::array<std::string_view, 1> api_versions{api_version};
constexpr Field api_version_field{
    .name = "apiVersion",
    .type = Type::Constant,
    .required = true,
    .documentation = "The version of the manifest format.",
    .example = api_version,
    .values = api_versions,
};

constexpr std::array label_parts{
    Field{.name = "key", .type = Type::Label, .documentation = "The label's key.", .maximum = 63},
    Field{.name = "value", .type = Type::Label, .documentation = "The label's value.", .maximum = 63},
};
constexpr Field labels_field{
    .name = "labels",
    .type = Type::TextMap,
    .documentation =
        "Your own keys and values, for selecting objects. Only a Host gives those of servers a meaning.",
    .example = "{pool: competitive}",
    .maximum = 64,
    .children = label_parts};
constexpr std::array metadata_fields{
    Field{.name = "name",
          .type = Type::Name,
          .required = true,
          .documentation =
              "The object's name, unique among the objects of its kind. It becomes part of paths, unit names "
              "and mount options, hence the narrow choice of characters.",
          .example = "comp1",
          .maximum = name_length},
    labels_field,
};
constexpr Field metadata_field{
    .name = "metadata",
    .type = Type::Map,
    .required = true,
    .documentation = "What the object is called.",
    .example = "{name: comp1}",
    .children = metadata_fields,
};

constexpr std::array<std::string_view, 1> host_names{host_name};
constexpr std::array host_metadata_fields{
    Field{.name = "name",
          .type = Type::Name,
          .required = true,
          .documentation = "`this`: the manifests of a host are about that host.",
          .example = host_name,
          .values = host_names,
          .maximum = name_length},
    labels_field,
};
constexpr Field host_metadata_field{
    .name = "metadata",
    .type = Type::Map,
    .required = true,
    .documentation = "What the object is called.",
    .example = "{name: this}",
    .children = host_metadata_fields,
};

constexpr std::array<std::string_view, 2> run_states{"Running", "Stopped"};
constexpr std::array<std::string_view, 3> rollout_policies{"OnNextStart", "WhenEmpty", "Immediate"};
constexpr std::array<std::string_view, 2> switch_values{"true", "false"};
constexpr std::array<std::string_view, 2> drift_policies{"Correct", "Report"};

constexpr std::array rollout_warning{
    Field{.name = "item",
          .type = Type::Duration,
          .documentation = "How long before the deadline.",
          .minimum = 1,
          .maximum = 3600},
};
constexpr std::array rollout_fields{
    Field{.name = "policy",
          .type = Type::Enum,
          .default_value = "OnNextStart",
          .documentation =
              "`OnNextStart` never restarts the server: the change waits until somebody starts it. "
              "`WhenEmpty` "
              "restarts it once nobody plays on it; an unknown number of players counts as occupied. "
              "`Immediate` restarts it immediately and kicks the players.",
          .example = "WhenEmpty",
          .values = rollout_policies},
    Field{.name = "deadline",
          .type = Type::Deadline,
          .documentation =
              "Only with `policy: WhenEmpty`: how long a change may wait for the server to become empty, or "
              "until which time of day, by the host's clock. After that it is restarted even with players on "
              "it. Without a deadline, the change waits indefinitely.",
          .example = "12h",
          .minimum = 1,
          .maximum = max_duration.count(),
          .only_with = {"policy", "WhenEmpty"}},
    Field{
        .name = "maxPlayers",
        .type = Type::Integer,
        .default_value = "0",
        .documentation =
            "Only with `policy: WhenEmpty`: a server with at most so many players counts as empty. They are "
            "kicked. A server that a lobby has reserved is not empty.",
        .example = "1",
        .minimum = 0,
        .maximum = 31,
        .only_with = {"policy", "WhenEmpty"}},
    Field{
        .name = "window",
        .type = Type::Window,
        .documentation =
            "Only with `policy: WhenEmpty`: the part of each day in which the server may be restarted for a "
            "change, by the host's clock; it may reach over midnight. A deadline that passes outside of it "
            "waits for it. On a day on which the clock skips it, there is none.",
        .example = "04:00-08:00",
        .only_with = {"policy", "WhenEmpty"}},
    Field{.name = "warn",
          .type = Type::List,
          .documentation =
              "Only with `policy: WhenEmpty`: how long before the deadline the players are told in the game, "
              "each time once. Needs `rcon` in the Blueprint.",
          .example = "[10m, 1m]",
          .maximum = 5,
          .unique = true,
          .children = rollout_warning,
          .only_with = {"policy", "WhenEmpty"}},
};

constexpr std::array server_spec{
    Field{.name = "blueprint",
          .type = Type::Name,
          .required = true,
          .documentation = "The Blueprint that this server uses. The link is live: if the Blueprint changes, "
                           "the server changes (see `rollout`). A Server has no overrides.",
          .example = "competitive",
          .maximum = name_length,
          .refers_to = Kind::Blueprint},
    Field{.name = "port",
          .type = Type::Port,
          .required = true,
          .documentation = "The UDP port of the game and of its queries, and the TCP port of RCON. Unique "
                           "among all servers, including stopped ones.",
          .example = "27015",
          .minimum = 1024,
          .maximum = 65535,
          .unique = true},
    Field{.name = "state",
          .type = Type::Enum,
          .default_value = "Running",
          .documentation =
              "`Running`: active now and after every reboot. `Stopped`: inactive and disabled, with the "
              "files that the game wrote kept.",
          .example = "Stopped",
          .values = run_states},
    Field{.name = "rollout",
          .type = Type::Map,
          .documentation =
              "When a running server may be restarted because its overlays, arguments or config changed.",
          .example = "{policy: WhenEmpty}",
          .children = rollout_fields},
    Field{.name = "drift",
          .type = Type::Enum,
          .default_value = "Correct",
          .documentation = "What happens if the host differs from the manifest although no manifest changed. "
                           "`Correct` repairs it; `Report` only shows it in `diff` and `status`.",
          .example = "Report",
          .values = drift_policies},
};

constexpr std::array blueprint_overlay{
    Field{.name = "item",
          .type = Type::Name,
          .documentation = "The name of an Overlay.",
          .maximum = name_length,
          .refers_to = Kind::Overlay},
};
constexpr Field blueprint_installation{
    .name = "installation",
    .type = Type::Name,
    .documentation =
        "The name of an Installation: the game that everything else is stacked over. Without it, the one "
        "named `default`; if there is none, what is in `/var/lib/left4me/installation`.",
    .example = "stable",
    .maximum = name_length,
    .refers_to = Kind::Installation};
constexpr std::array blueprint_executed{
    Field{.name = "item",
          .type = Type::Name,
          .documentation = "The name of an Overlay that `overlays` lists.",
          .maximum = name_length,
          .refers_to = Kind::Overlay,
          .listed_in = "overlays"},
};
constexpr std::array blueprint_argument{
    Field{.name = "item",
          .type = Type::Argument,
          .documentation = "One word of the command line.",
          .maximum = 512},
};
constexpr std::array blueprint_secret{
    Field{.name = "item",
          .type = Type::SecretFile,
          .documentation = "The name of a file in `/etc/left4me/secrets`.",
          .maximum = 64},
};
constexpr std::array blueprint_writable{
    Field{
        .name = "item",
        .type = Type::FilePath,
        .documentation = "A path relative to the game's installation; `*` and `?` stand for parts of a name.",
        .maximum = max_writable_bytes},
};
constexpr std::int64_t max_cvar_name = 64;
constexpr std::int64_t max_cvar_value = 255;
constexpr std::array cvar_parts{
    Field{.name = "name",
          .type = Type::CvarName,
          .documentation = "The variable's name.",
          .maximum = max_cvar_name},
    Field{.name = "value",
          .type = Type::CvarValue,
          .documentation = "What it is set to.",
          .maximum = max_cvar_value},
};
constexpr std::array rcon_fields{
    Field{.name = "secret",
          .type = Type::SecretFile,
          .required = true,
          .documentation = "The name of a file in `/etc/left4me/secrets` that holds the password: one line.",
          .example = "rcon",
          .maximum = 64},
};
constexpr std::array<std::string_view, 1> schedule_actions{"Restart"};
constexpr std::array<std::string_view, 2> schedule_moments{"Always", "Empty"};
constexpr std::array schedule_fields{
    Field{.name = "at",
          .type = Type::Calendar,
          .required = true,
          .documentation = "When, by the host's clock. A time that the clock shows twice on one day counts "
                           "once.",
          .example = "\"05:00\""},
    Field{.name = "action",
          .type = Type::Enum,
          .documentation =
              "`Restart` restarts the server if it has been running since before that time, as its "
              "`rollout` allows: with `Immediate` at once, otherwise once nobody plays, within the `window` "
              "if there is one, and at the latest when the `deadline` has passed since then.",
          .example = "Restart",
          .values = schedule_actions},
    Field{.name = "command",
          .type = Type::Line,
          .documentation =
              "A command for the game's console; needs `rcon`. It is given once. A server that does not run "
              "at that time, or starts only afterwards, does not get it, nor does one whose console cannot "
              "be reached within ten minutes.",
          .example = "sm_reloadadmins",
          .maximum = 255,
          .check = check_scheduled_command},
    Field{.name = "when",
          .type = Type::Enum,
          .default_value = "Always",
          .documentation = "Only with `command`: `Empty` waits until nobody plays on the server.",
          .example = "Empty",
          .values = schedule_moments,
          .only_with = {"command", ""}},
};
constexpr std::array schedule_entry{
    Field{.name = "item",
          .type = Type::Map,
          .documentation = "A time, with either `action` or `command`.",
          .example = "{at: \"05:00\", action: Restart}",
          .children = schedule_fields},
};
constexpr std::array<std::string_view, 2> degraded_actions{"Report", "RestartWhenEmpty"};
constexpr std::array degraded_fields{
    Field{.name = "below",
          .type = Type::Percentage,
          .default_value = "80%",
          .documentation = "A game with fewer frames per second than so many percent of its `-tickrate` (30 "
                           "without that argument) is too slow.",
          .example = "80%"},
    Field{.name = "for",
          .type = Type::Duration,
          .default_value = "5m",
          .documentation =
              "It is degraded when it was too slow for so much longer than it was not, and recovers in the "
              "same way. Only time in which people play counts.",
          .example = "5m",
          .minimum = 60,
          .maximum = 86400},
    Field{.name = "action",
          .type = Type::Enum,
          .default_value = "Report",
          .documentation =
              "`Report` shows a degraded game. `RestartWhenEmpty` also restarts it once nobody plays; when a "
              "restart has not helped, the next one waits for an hour, and then twice as long each time, up "
              "to a day.",
          .example = "RestartWhenEmpty",
          .values = degraded_actions},
};
constexpr std::array health_fields{
    Field{.name = "startup",
          .type = Type::Duration,
          .default_value = "3m",
          .documentation =
              "How long a game may take from its start until it answers. After that it is shown as "
              "`NotResponding`.",
          .example = "3m",
          .minimum = 10,
          .maximum = 3600},
    Field{.name = "unresponsive",
          .type = Type::Duration,
          .documentation =
              "A game that has neither answered a query nor read what it was sent for so long hangs, and is "
              "restarted. Without this field it is only shown. A game that reads is never restarted for its "
              "silence, because people may play on it while a flood of queries keeps it from answering.",
          .example = "5m",
          .minimum = 60,
          .maximum = 86400},
    Field{.name = "degraded",
          .type = Type::Map,
          .documentation =
              "When a game is too slow, and what is done about it. Needs `rcon`: left4me asks the "
              "game's console for its frames per second.",
          .example = "{below: 80%, for: 5m, action: RestartWhenEmpty}",
          .children = degraded_fields},
};
constexpr std::array blueprint_rollout_fields{
    Field{.name = "canary",
          .type = Type::Integer,
          .default_value = "0",
          .documentation =
              "So many running servers get a change first. Until they have been healthy for `soak`, no other "
              "running server of the Blueprint is restarted for it. `0`: all at once.",
          .example = "1",
          .minimum = 0,
          .maximum = 100},
    Field{.name = "soak",
          .type = Type::Duration,
          .default_value = "10m",
          .documentation = "How long a canary must be Ready without interruption before the others follow.",
          .example = "10m",
          .minimum = 1,
          .maximum = 86400},
    Field{
        .name = "maxUnavailable",
        .type = Type::Share,
        .documentation =
            "At most so many servers of the Blueprint are not Ready at the same time because of a change: a "
            "number, or a percentage of those that should run (rounded down, at least one). Without this "
            "field there is no limit.",
        .example = "25%",
        .minimum = 1,
        .maximum = 9999},
    Field{.name = "rollbackOnFailure",
          .type = Type::Switch,
          .default_value = "false",
          .documentation = "A canary that fails returns to its last healthy rendering, and keeps it until "
                           "the next change or `l4d2ctl reconcile`. It restarts as the server's `rollout` "
                           "allows.",
          .example = "true",
          .values = switch_values,
          .only_with = {"canary", ""}},
};
constexpr std::array blueprint_spec{
    blueprint_installation,
    Field{.name = "overlays",
          .type = Type::List,
          .documentation = "The Overlays above the installation. The first is uppermost: if two contain the "
                           "same file, the one listed first wins.",
          .example = "[competitive-rework, tickrate]",
          .maximum = max_overlays,
          .unique = true,
          .children = blueprint_overlay},
    Field{.name = "executeConfigs",
          .type = Type::List,
          .documentation =
              "Those of `overlays` whose `left4dead2/cfg/server.cfg` the game runs before `config`, in this "
              "order. Each of these files is there as `left4dead2/cfg/server_OVERLAY.cfg`, because `config` "
              "hides every `server.cfg`.",
          .example = "[tickrate, competitive-rework]",
          .maximum = max_overlays,
          .unique = true,
          .children = blueprint_executed},
    Field{.name = "arguments",
          .type = Type::List,
          .documentation =
              "The game's command line, one word per item. `${name}` and `${port}` are replaced by the "
              "server's name and port. Arguments that left4me sets itself (such as `-port`) are refused. So "
              "are secrets, because all users of the host can read command lines.",
          .example = "[\"-tickrate\", \"100\", \"+map\", c1m1_hotel]",
          .maximum = 128,
          .children = blueprint_argument},
    Field{.name = "secrets",
          .type = Type::List,
          .documentation =
              "The files in `/etc/left4me/secrets` that `config` may use as `${secret:FILE}`. "
              "Any other file is refused, so a review of this list covers all secrets that the servers get.",
          .example = "[rcon]",
          .maximum = 32,
          .unique = true,
          .children = blueprint_secret},
    Field{.name = "config",
          .type = Type::Config,
          .documentation =
              "Becomes `left4dead2/cfg/server.cfg` and hides that of any overlay, but see "
              "`executeConfigs`. `${name}` and `${port}` "
              "are replaced by the server's name and port, `${secret:FILE}` by the content of that file in "
              "`/etc/left4me/secrets`, if `secrets` lists it. A literal `${` is written `$${`.",
          .example = "|\n  hostname \"${name}\"\n  rcon_password \"${secret:rcon}\"",
          .maximum = 64 * kib},
    Field{
        .name = "cvars",
        .type = Type::TextMap,
        .documentation =
            "Variables of the game's console and their values. They are set after `config`, so these values "
            "win. With `rcon`, a change of them is made in running games at once and without a restart, and "
            "left4me reads them back and corrects what was changed in the game; without it, a change needs "
            "a restart. `${name}` and `${port}` are replaced by the server's name and port. The values are "
            "shown, so passwords belong in `config`.",
        .example = "{sv_maxrate: 100000, sv_tags: \"comp,${name}\"}",
        .maximum = 128,
        .children = cvar_parts},
    Field{
        .name = "rcon",
        .type = Type::Map,
        .documentation =
            "Gives the game a password for its console (RCON), as the last line of `server.cfg`, and lets "
            "left4me use it: before a restart that may be made only while nobody plays, it asks the console, "
            "too, and so it also waits for a lobby that has reserved the server. `l4d2ctl console` uses it. "
            "The secret need not be listed in `secrets`.",
        .example = "{secret: rcon}",
        .children = rcon_fields},
    Field{.name = "schedule",
          .type = Type::List,
          .documentation = "What is done to each server at certain times of the day or the week: restarts, "
                           "and commands for its console.",
          .example = "[{at: \"05:00\", action: Restart}]",
          .maximum = 16,
          .children = schedule_entry},
    Field{.name = "health",
          .type = Type::Map,
          .documentation =
              "How long a game that runs may be silent before it counts as hanging, and how slow it may be.",
          .example = "{startup: 3m, unresponsive: 5m}",
          .children = health_fields},
    Field{.name = "rollout",
          .type = Type::Map,
          .documentation =
              "How a change that needs restarts goes through the running servers of this Blueprint. When one "
              "of them may be restarted is up to its own `rollout`.",
          .example = "{canary: 1, maxUnavailable: 25%, soak: 10m, rollbackOnFailure: true}",
          .children = blueprint_rollout_fields},
    Field{.name = "writable",
          .type = Type::List,
          .default_value =
              "[core, core.*, debug.log, left4dead2/*.cache, left4dead2/*.dem, left4dead2/addonlist.txt, "
              "left4dead2/addons/sourcemod/data, left4dead2/addons/sourcemod/logs, "
              "left4dead2/cfg/banned_ip.cfg, left4dead2/cfg/banned_user.cfg, left4dead2/core.*, "
              "left4dead2/demos, left4dead2/downloads, left4dead2/ems, left4dead2/logs, "
              "left4dead2/maps/*.nav, left4dead2/maps/graphs, left4dead2/maps/soundcache]",
          .documentation = "The paths that the game may keep of what it writes. Each start sets aside "
                           "everything else that the game wrote, so that it starts from the files of its "
                           "layers. A listed directory is kept with all its content. A list replaces the "
                           "default. The rendered `left4dead2/cfg/server.cfg` is never kept.",
          .example = "[left4dead2/logs, left4dead2/cfg/banned_user.cfg, \"left4dead2/*.dem\"]",
          .maximum = max_writable,
          .unique = true,
          .children = blueprint_writable},
};

constexpr std::array inline_file{
    Field{.name = "path",
          .type = Type::FilePath,
          .documentation = "Relative to the game's installation.",
          .example = "left4dead2/cfg/rates.cfg",
          .maximum = 255},
    Field{.name = "text",
          .type = Type::Text,
          .documentation = "The whole text of the file.",
          .maximum = 256 * kib},
};
constexpr std::array inline_fields{
    Field{.name = "files",
          .type = Type::TextMap,
          .required = true,
          .documentation =
              "The files of the overlay: path and text of each. Placeholders are not expanded here.",
          .example = "{left4dead2/cfg/rates.cfg: \"sv_minrate 100000\\n\"}",
          .maximum = 256,
          .children = inline_file},
};
constexpr std::array archive_url{
    Field{.name = "item",
          .type = Type::ArchiveUrl,
          .documentation = "An https:// address, or the absolute path of a file on this host.",
          .maximum = 2048},
};
constexpr std::array archive_exclude{
    Field{.name = "item",
          .type = Type::FilePath,
          .documentation =
              "A pattern; `*` and `?` stand for parts of a name. With a `/`, it is a path in the "
              "archive after `stripComponents`; without one, a name anywhere in it.",
          .maximum = 255},
};
constexpr std::array archive_fields{
    Field{.name = "url",
          .type = Type::List,
          .required = true,
          .documentation =
              "Where the archive is: an https:// address, or the absolute path of a file in one "
              "of the host's `overlayRoots`. A list names mirrors; they are tried in this order.",
          .example = "https://example.org/rework-linux.tar.gz",
          .minimum = 1,
          .maximum = 16,
          .unique = true,
          .children = archive_url,
          .or_one = true},
    Field{.name = "sha256",
          .type = Type::Sha256,
          .required = true,
          .documentation = "The SHA-256 of the archive. It is checked before anything is unpacked; another "
                           "file is never used.",
          .example = "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\""},
    Field{.name = "into",
          .type = Type::FilePath,
          .documentation = "The directory of the game's installation that the archive is unpacked into. "
                           "Without it, the archive's paths are those of the installation.",
          .example = "left4dead2",
          .maximum = 255},
    Field{.name = "stripComponents",
          .type = Type::Integer,
          .default_value = "0",
          .documentation = "How many leading names of each path are removed, as with `tar "
                           "--strip-components`. Archives that GitHub makes of a branch or tag need 1.",
          .example = "1",
          .minimum = 0,
          .maximum = 16},
    Field{.name = "exclude",
          .type = Type::List,
          .documentation = "What is left out. A directory is left out with all its content.",
          .example = "[\"*.md\", .github, left4dead2/addons/*.dll]",
          .maximum = 64,
          .unique = true,
          .children = archive_exclude},
};
constexpr std::array git_exclude{
    Field{.name = "item",
          .type = Type::FilePath,
          .documentation =
              "A pattern; `*` and `?` stand for parts of a name. With a `/`, it is a path beneath "
              "`path`; without one, a name anywhere in it.",
          .maximum = 255},
};
constexpr std::array host_keys{
    Field{.name = "item",
          .type = Type::HostKey,
          .documentation = "A public key, as `ssh-keyscan -t ed25519 HOST` prints it after the host's name. "
                           "Of the kinds ssh-ed25519 and ecdsa-sha2-nistp256, 384 and 521.",
          .maximum = 300},
};
constexpr std::array git_fields{
    Field{
        .name = "url",
        .type = Type::GitUrl,
        .required = true,
        .documentation =
            "Where the repository is: an https:// address; one of ssh, as ssh://git@example.org/pack.git or "
            "git@example.org:pack.git, with `hostKeys`; or the absolute path of a repository in one of the "
            "host's `overlayRoots`.",
        .example = "https://github.com/SirPlease/L4D2-Competitive-Rework.git",
        .maximum = 2048},
    Field{.name = "hostKeys",
          .type = Type::List,
          .documentation =
              "Of an address of ssh, and needed there: the public keys of that server, one of which "
              "it must show. Compare them with what its owner publishes.",
          .example = "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"]",
          .minimum = 1,
          .maximum = 8,
          .unique = true,
          .children = host_keys},
    Field{.name = "ref",
          .type = Type::GitRef,
          .documentation =
              "A branch, a tag, or all 40 digits of a commit. Without it, the branch that the repository's "
              "HEAD names. A branch is looked up when the overlay is built, not again when it moves.",
          .example = "v2.9.1",
          .maximum = 255},
    Field{.name = "path",
          .type = Type::TreePath,
          .documentation = "The directory of the repository whose files are taken. Without it, or with `.`, "
                           "all are taken.",
          .example = "addons/left4dead2",
          .maximum = 255},
    Field{.name = "into",
          .type = Type::FilePath,
          .documentation =
              "The directory of the game's installation that the files are put into. Without it, "
              "their paths are those of the installation.",
          .example = "left4dead2",
          .maximum = 255},
    Field{.name = "exclude",
          .type = Type::List,
          .documentation = "What is left out. A directory is left out with all its content.",
          .example = "[\"*.md\", .github]",
          .maximum = 64,
          .unique = true,
          .children = git_exclude},
};
constexpr std::array map_exclude{
    Field{.name = "item",
          .type = Type::FilePath,
          .documentation = "The name of a map, as c1m1.vpk; `*` and `?` stand for parts of it.",
          .maximum = 255},
};
constexpr std::array map_index_fields{
    Field{.name = "url",
          .type = Type::HttpsUrl,
          .required = true,
          .documentation = "Where the index is: an https:// address of a CSV file with lines "
                           "`Name;Size;MD5;DownloadLink`, as l4d2center and cedapug publish.",
          .example = "https://l4d2center.com/maps/servers/index.csv",
          .maximum = 2048},
    Field{.name = "exclude",
          .type = Type::List,
          .documentation = "Maps of the index that are left out. Nothing of them is fetched, and their lines "
                           "need not even be valid.",
          .example = "[\"dm_*.vpk\"]",
          .maximum = 64,
          .unique = true,
          .children = map_exclude},
};
constexpr std::array workshop_id{
    Field{.name = "item",
          .type = Type::WorkshopId,
          .documentation =
              "The number at the end of the address of an item or a collection: `…/filedetails/?id=NUMBER`.",
          .maximum = 20},
};
constexpr std::array workshop_fields{
    Field{.name = "items",
          .type = Type::List,
          .documentation = "Single items.",
          .example = "[\"698857882\", \"2524204971\"]",
          .maximum = 1000,
          .unique = true,
          .children = workshop_id},
    Field{.name = "collections",
          .type = Type::List,
          .documentation = "Collections: all their items, also those of the collections that they contain.",
          .example = "[\"121115793\"]",
          .maximum = 100,
          .unique = true,
          .children = workshop_id},
    Field{.name = "exclude",
          .type = Type::List,
          .documentation =
              "Items and collections that are left out, for example because their authors removed them "
              "from the workshop while a collection still has them.",
          .example = "[\"222222222\"]",
          .maximum = 1000,
          .unique = true,
          .children = workshop_id},
};
constexpr std::array<std::string_view, 2> script_networks{"None", "Public"};
constexpr std::array script_fields{
    Field{.name = "run",
          .type = Type::Text,
          .required = true,
          .documentation =
              "A bash script (`bash -eo pipefail`). It begins in an empty directory: what it leaves there is "
              "the overlay, with the paths of the game's installation.",
          .example = "|\n  mkdir -p left4dead2/cfg\n  echo 'sv_maxrate 100000' >left4dead2/cfg/rates.cfg",
          .maximum = 64 * kib},
    Field{.name = "network",
          .type = Type::Enum,
          .default_value = "None",
          .documentation =
              "What the script may reach. `None`: nothing, it has a network of its own that is empty. "
              "`Public`: public addresses, through an HTTP proxy that `http_proxy` and `https_proxy` name; "
              "never this host or a private network.",
          .example = "Public",
          .values = script_networks},
    Field{.name = "timeout",
          .type = Type::Duration,
          .default_value = "30m",
          .documentation = "How long the script may run.",
          .example = "5m",
          .minimum = 1,
          .maximum = 6 * 3600},
    Field{.name = "memory",
          .type = Type::Size,
          .default_value = "2Gi",
          .documentation = "The address space of each of its processes. All of them together, and the files "
                           "that they write, get at most what `left4me-script@.service` has as `MemoryMax=` "
                           "(2 GiB).",
          .example = "512Mi",
          .minimum = 16 * kib * kib,
          .maximum = 64 * kib * kib * kib},
    Field{.name = "disk",
          .type = Type::Size,
          .default_value = "1Gi",
          .documentation =
              "The size of what the script may leave. It works in memory, on a file system of at most 1 GiB; "
              "for more, root raises its size and `MemoryMax=` in `left4me-script@.service`.",
          .example = "100Mi",
          .minimum = kib * kib,
          .maximum = kib * kib * kib * kib},
};
constexpr std::array source_fields{
    Field{.name = "directory",
          .type = Type::Directory,
          .documentation = "Absolute path of a directory of this host whose files are copied. The next pass "
                           "notices a change and builds a new artifact; files are never used in place.",
          .example = "/srv/left4dead2/competitive-rework",
          .maximum = 1024},
    Field{.name = "inline",
          .type = Type::Map,
          .documentation = "Files written in the manifest itself; meant for small configs.",
          .example = "{files: {left4dead2/cfg/rates.cfg: \"sv_minrate 100000\\n\"}}",
          .children = inline_fields},
    Field{.name = "archive",
          .type = Type::Map,
          .documentation = "An archive that is downloaded, checked against its SHA-256 and unpacked: tar "
                           "(plain, or compressed with gzip, xz, zstd or bzip2), zip or 7z.",
          .example = "{url: \"https://example.org/rework-linux.tar.gz\", sha256: "
                     "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824, into: left4dead2}",
          .children = archive_fields},
    Field{.name = "git",
          .type = Type::Map,
          .documentation = "One commit of a git repository, without its history.",
          .example = "{url: \"https://github.com/SirPlease/L4D2-Competitive-Rework.git\", ref: v2.9.1, into: "
                     "left4dead2}",
          .children = git_fields},
    Field{.name = "mapIndex",
          .type = Type::Map,
          .documentation = "Maps that an index names, each with its size and MD5. They become "
                           "`left4dead2/addons/NAME.vpk`; those that have not changed are not fetched again.",
          .example = "{url: \"https://l4d2center.com/maps/servers/index.csv\"}",
          .children = map_index_fields},
    Field{.name = "workshop",
          .type = Type::Map,
          .documentation =
              "Items and collections of the Steam workshop. They become "
              "`left4dead2/addons/NUMBER.vpk`; those that have not changed are not fetched again.",
          .example = "{items: [\"698857882\"], collections: [\"121115793\"]}",
          .children = workshop_fields},
    Field{.name = "script",
          .type = Type::Map,
          .documentation = "A script that makes the files, in a sandbox without anything of the host but its "
                           "programs, and without a network unless it asks for the public one.",
          .example = "{run: \"mkdir -p left4dead2/cfg && date >left4dead2/cfg/built.cfg\"}",
          .children = script_fields},
};
constexpr std::array overlay_spec{
    Field{.name = "source",
          .type = Type::Choice,
          .required = true,
          .documentation = "Where the overlay's files come from; exactly one of the fields below. Paths are "
                           "those of the game's installation, e.g. `left4dead2/addons/…`.",
          .example = "{directory: /srv/left4dead2/tickrate}",
          .children = source_fields},
    Field{.name = "refresh",
          .type = Type::Calendar,
          .documentation =
              "When the overlay takes what upstream has by then, by the host's local time: its pin in "
              "`left4me.lock` is moved forward as by `l4d2ctl lock NAME`, and servers follow as their "
              "`rollout` says. A time at which the host was off is made up for once. Without it, only "
              "`l4d2ctl lock` does so. Of sources that move: `git`, `workshop`, `mapIndex`.",
          .example = "\"04:00\""},
};

constexpr std::array installation_spec{
    Field{.name = "build",
          .type = Type::BuildId,
          .documentation =
              "The number that the build must have, in quotes. Steam gives the newest build and no other: "
              "if that has another number, nothing is replaced. Without this field, the newest one is "
              "installed, and then the one that `left4me.lock` says.",
          .example = "\"16546402\"",
          .maximum = 20},
    Field{.name = "refresh",
          .type = Type::Calendar,
          .documentation =
              "When the newest build is taken, by the host's local time, as by `l4d2ctl install NAME`; "
              "servers follow as their `rollout` says. A time at which the host was off is made up for "
              "once. Without it, only `l4d2ctl install` and `l4d2ctl lock` do so. Not together with "
              "`build`.",
          .example = "\"04:00\""},
};

constexpr std::array system_or_game_cpus{
    Field{.name = "system",
          .type = Type::CpuSet,
          .documentation =
              "The processors of everything that is not a game: the host's services, sessions of "
              "users, left4me itself and its builds. Without it, all.",
          .example = "\"0-1\""},
    Field{.name = "games",
          .type = Type::CpuSet,
          .documentation = "The processors of the games, which share them. Without it, all.",
          .example = "\"2-15\""},
};
/// Of all games, and of those with certain labels.
constexpr Field nice_setting{
    .name = "nice",
    .type = Type::Signed,
    .documentation =
        "The priority of each thread: lower numbers come first. A game has it from its next start.",
    .example = "-5",
    .minimum = -15,
    .maximum = 19};
constexpr Field cpu_weight_setting{
    .name = "cpuWeight",
    .type = Type::Integer,
    .documentation =
        "The share of the processors that a game gets when they are all busy, compared with other "
        "games; 100 is what all have.",
    .example = "200",
    .minimum = 1,
    .maximum = 10'000};
constexpr Field memory_high_setting{
    .name = "memoryHigh",
    .type = Type::Size,
    .documentation =
        "The memory above which a game is slowed down; 1536Mi unless this or its unit says more.",
    .example = "3Gi",
    .minimum = min_memory,
    .maximum = max_memory};
constexpr Field memory_max_setting{
    .name = "memoryMax",
    .type = Type::Size,
    .documentation =
        "The memory above which a game is killed, and started again; 2Gi unless this or its unit "
        "says otherwise. A lower limit holds for running games at once.",
    .example = "4Gi",
    .minimum = min_memory,
    .maximum = max_memory};
constexpr Field dscp_mark{
    .name = "dscp",
    .type = Type::Dscp,
    .documentation =
        "Marks the UDP packets that a game sends with this DSCP; networks that honour it forward them first. "
        "Takes effect at the game's next start; 0 means no mark.",
    .example = "EF",
    .maximum = max_dscp};
constexpr std::array game_settings{nice_setting, cpu_weight_setting, memory_high_setting, memory_max_setting,
                                   dscp_mark};
constexpr std::array labeled_settings{
    Field{.name = "labels",
          .type = Type::TextMap,
          .required = true,
          .documentation = "The servers that have all of these labels.",
          .example = "{pool: competitive}",
          .maximum = 8,
          .children = label_parts},
    Field{.name = "cpus",
          .type = Type::CpuSet,
          .documentation = "Their processors, some of those of all games.",
          .example = "\"8-15\""},
    nice_setting,
    cpu_weight_setting,
    memory_high_setting,
    memory_max_setting,
    dscp_mark,
};
constexpr std::array labeled_item{
    Field{.name = "item",
          .type = Type::Map,
          .documentation = "Settings of the servers with certain labels.",
          .example = "{labels: {pool: competitive}, cpuWeight: 200}",
          .children = labeled_settings},
};
constexpr std::array host_spec{
    Field{.name = "cpus",
          .type = Type::Map,
          .documentation =
              "Which processors the games have, and which everything else. The hyper-threads of a "
              "core stay together: what would part them, or names processors that the host does "
              "not have, is refused, and the host keeps what it has.",
          .example = "{system: \"0-1\", games: \"2-15\"}",
          .children = system_or_game_cpus},
    Field{.name = "games",
          .type = Type::Map,
          .documentation = "What each game has.",
          .example = "{nice: -5, memoryMax: 4Gi}",
          .children = game_settings},
    Field{.name = "labeled",
          .type = Type::List,
          .documentation =
              "What the games of servers with certain labels have instead. Of two that both mean a "
              "server, the later one counts, setting by setting.",
          .example = "[{labels: {pool: competitive}, cpuWeight: 200}]",
          .maximum = 32,
          .children = labeled_item},
    Field{.name = "startParallel",
          .type = Type::Integer,
          .documentation = "At most this many servers come up at the same time, also at a boot; the others "
                           "wait until these answer. Without it, any number.",
          .example = "8",
          .minimum = 1,
          .maximum = 1000},
};

constexpr std::array<std::string_view, 1> server_kind{"Server"};
constexpr std::array<std::string_view, 1> blueprint_kind{"Blueprint"};
constexpr std::array<std::string_view, 1> overlay_kind{"Overlay"};
constexpr std::array<std::string_view, 1> installation_kind{"Installation"};
constexpr std::array<std::string_view, 1> host_kind{"Host"};

/// The head that all kinds share, and the kind's own spec.
constexpr std::array<Field, 4> object(std::span<const std::string_view> kind, std::string_view documentation,
                                      std::span<const Field> spec, const Field& metadata = metadata_field) {
    return {api_version_field,
            Field{.name = "kind",
                  .type = Type::Constant,
                  .required = true,
                  .documentation = "What this document describes.",
                  .example = kind.front(),
                  .values = kind},
            metadata,
            Field{.name = "spec",
                  .type = Type::Map,
                  .required = true,
                  .documentation = documentation,
                  .children = spec}};
}

constexpr auto server_object = object(server_kind, "What the server should be.", server_spec);
constexpr auto blueprint_object =
    object(blueprint_kind, "What servers of this Blueprint run with.", blueprint_spec);
constexpr auto overlay_object = object(overlay_kind, "What the overlay consists of.", overlay_spec);
constexpr auto installation_object =
    object(installation_kind, "Which build of the game it is; `{}` for the newest.", installation_spec);
constexpr auto host_object = object(host_kind, "How the host is shared out.", host_spec, host_metadata_field);

constexpr std::array kind_table{
    KindEntry{.kind = Kind::Server,
              .name = "server",
              .plural = "servers",
              .short_name = "srv",
              .object = {.name = "Server",
                         .type = Type::Map,
                         .documentation = "One game server: a systemd unit `left4me-server@NAME.service` "
                                          "with its own overlay mount.",
                         .children = server_object}},
    KindEntry{.kind = Kind::Blueprint,
              .name = "blueprint",
              .plural = "blueprints",
              .short_name = "bp",
              .object = {.name = "Blueprint",
                         .type = Type::Map,
                         .documentation = "The settings that servers share: overlays, command line, config.",
                         .children = blueprint_object}},
    KindEntry{
        .kind = Kind::Overlay,
        .name = "overlay",
        .plural = "overlays",
        .short_name = "ov",
        .object = {.name = "Overlay",
                   .type = Type::Map,
                   .documentation =
                       "A set of files that is stacked over the game's installation: a mod, maps, configs.",
                   .children = overlay_object}},
    KindEntry{.kind = Kind::Installation,
              .name = "installation",
              .plural = "installations",
              .short_name = "inst",
              .object = {.name = "Installation",
                         .type = Type::Map,
                         .documentation = "The game itself, which steamcmd fetches from Steam.",
                         .children = installation_object}},
    KindEntry{.kind = Kind::Host,
              .name = "host",
              .plural = "hosts",
              .short_name = "ho",
              .object = {.name = "Host",
                         .type = Type::Map,
                         .documentation = "This host: which processors and how much memory the games have. "
                                          "There is at most one, called `this`.",
                         .children = host_object}},
};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

}  // namespace

std::span<const KindEntry> kinds() { return kind_table; }

const KindEntry& entry_of(Kind kind) {
    return *std::find_if(kind_table.begin(), kind_table.end(),
                         [kind](const KindEntry& entry) { return entry.kind == kind; });
}

const char* to_string(Kind kind) { return entry_of(kind).name.data(); }

const KindEntry* find_kind(std::string_view word) {
    const auto* const found = std::find_if(kind_table.begin(), kind_table.end(),
                                           [&](const KindEntry& entry) { return entry.object.name == word; });
    return found == kind_table.end() ? nullptr : found;
}

std::optional<Kind> parse_kind(std::string_view word) {
    const std::string wanted = lower(word);
    for (const KindEntry& entry : kind_table) {
        if (wanted == entry.name || wanted == entry.plural || wanted == entry.short_name) return entry.kind;
    }
    return std::nullopt;
}

const Field* find_child(const Field& parent, std::string_view name) {
    const auto found = std::find_if(parent.children.begin(), parent.children.end(),
                                    [&](const Field& field) { return field.name == name; });
    return found == parent.children.end() ? nullptr : &*found;
}

}  // namespace left4me
