#include "adapters/config/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "adapters/network.hpp"
#include "specs/load.hpp"
#include "specs/remote_url.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

constexpr std::int64_t day = 24 * 3600;
constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t pib = mib * mib * kib;

void must(bool holds, std::string_view text, std::string_view rule, Violations& complaints) {
    if (!holds) complaints.push_back({Rule::Other, fmt::format("{} {}", in_quotes(text), rule)});
}

/// The rules of git-check-ref-format for the last part of refs/heads/NAME, slightly stricter.
bool is_branch_name(std::string_view name) {
    if (name.empty() || name.size() > 200 || name.front() == '/' || name.back() == '/' ||
        name.front() == '-' || name.ends_with(".lock") || name.back() == '.') {
        return false;
    }
    for (const std::string_view forbidden : {"..", "//", "/.", "@{", ".lock/"}) {
        if (name.contains(forbidden)) return false;
    }
    return name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
               return static_cast<unsigned char>(c) > ' ' && c != '\x7f' &&
                      !std::string_view("~^:?*[\\").contains(c);
           });
}

void check_branch(std::string_view text, Violations& complaints) {
    must(is_branch_name(text), text, "is not the name of a branch", complaints);
}

void check_subdirectory(std::string_view text, Violations& complaints) {
    const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
    const bool inside = !text.empty() && path.is_relative() &&
                        std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
    must(inside, text, "is not the path of a directory in the repository, as in hosts/eu1", complaints);
}

void check_remote(std::string_view text, Violations& complaints) {
    must(parse_remote_url(std::string(text)).has_value(), text,
         "is not an https://, ssh:// or file:// address, or user@host:path, without a password in it",
         complaints);
}

void check_file(std::string_view text, Violations& complaints) {
    must(!text.ends_with('/'), text, "is not the path of a file", complaints);
}

/// node_exporter silently ignores any other name
void check_textfile(std::string_view text, Violations& complaints) {
    must(text.ends_with(".prom"), text, "does not end in .prom", complaints);
}

/// Directories whose files left4me may read and operators may not, and those without real files.
constexpr std::array<std::string_view, 6> never_roots{
    "/etc/left4me", "/var/lib/left4me", "/run", "/proc", "/sys", "/dev"};

void check_overlay_root(std::string_view text, Violations& complaints) {
    const std::string path = std::filesystem::path(text).lexically_normal().string();
    for (const std::string_view place : never_roots) {
        if (!lies_in(path, place) && !lies_in(place, path)) continue;
        complaints.push_back({Rule::Other, fmt::format("{} must not be in an overlay: name a directory that "
                                                       "holds nothing but sources of overlays",
                                                       place)});
        return;
    }
}

constexpr std::array git_fields{
    Field{.name = "repository",
          .type = Type::HostPath,
          .default_value = "/var/lib/left4me/manifests.git",
          .documentation = "The bare repository on this host. `l4d2ctl init-repo` creates it.",
          .example = "/srv/manifests.git"},
    Field{.name = "branch",
          .default_value = "main",
          .documentation = "The branch whose newest commit is the revision.",
          .example = "live/eu",
          .check = check_branch},
    Field{.name = "directory",
          .documentation =
              "Read only this directory of the repository. Without it, the whole repository is read.",
          .example = "hosts/eu1",
          .check = check_subdirectory},
    Field{.name = "remote",
          .documentation =
              "URL that the branch is fetched from: `https://`, `ssh://`, `user@host:path` or `file://`. "
              "Redirects to other hosts are refused. Without it, operators push to the repository itself.",
          .example = "ssh://git@example.org/servers.git",
          .check = check_remote},
    Field{.name = "interval",
          .type = Type::Duration,
          .default_value = "60s",
          .documentation = "How often the remote is fetched.",
          .example = "5m",
          .minimum = 10,
          .maximum = day,
          .only_with = {"remote", {}}},
    Field{.name = "key",
          .type = Type::HostPath,
          .documentation =
              "For ssh, the private key without a passphrase; for https, a file with a token, which is used "
              "as the password. Required for an ssh remote. It belongs in `/etc/left4me/git`. In "
              "`/etc/left4me/secrets`, whose files a Blueprint may use, it works with a warning, and no "
              "Blueprint may use it. Only user left4me may be able to read it.",
          .example = "/etc/left4me/git/deploy-key",
          .only_with = {"remote", {}},
          .check = check_file},
    Field{.name = "knownHosts",
          .type = Type::HostPath,
          .documentation = "A file in the format that `ssh-keyscan` prints. left4me does not talk to a "
                           "server whose host key differs from this file. Required for an ssh remote.",
          .example = "/etc/left4me/known_hosts",
          .only_with = {"remote", {}},
          .check = check_file},
    Field{.name = "allowedSigners",
          .type = Type::HostPath,
          .documentation = "A file of allowed signers, see `ssh-keygen`. If it is set, left4me does not "
                           "follow a commit that none of them has signed with SSH; the last good revision "
                           "stays. Those who push must be able to read it.",
          .example = "/etc/left4me/allowed_signers",
          .check = check_file},
};

constexpr std::array source_fields{
    Field{.name = "directory",
          .type = Type::HostPath,
          .default_value = "/etc/left4me/manifests",
          .documentation =
              "The directory with the manifests. Every `*.yaml` and `*.yml` file beneath it is read, except "
              "names that begin with a dot. Symlinks to files are followed, symlinks to directories are an "
              "error. User left4me must own it, so that `l4d2ctl` can write there.",
          .example = "/srv/left4me-manifests"},
    Field{.name = "git",
          .type = Type::Map,
          .documentation =
              "Instead of a directory, a branch of a bare repository. `git: {}` uses all defaults. Commits "
              "are read without a checkout. Symlinks, submodules and files above the limits are errors. A "
              "commit that does not descend from the one in force waits for `l4d2ctl approve COMMIT`.",
          .example = "{remote: \"https://example.org/servers.git\"}",
          .children = git_fields,
          .may_be_empty = true},
};

constexpr std::array overlay_root{
    Field{.name = "item",
          .type = Type::HostPath,
          .documentation = "A directory that holds nothing but sources of overlays.",
          .check = check_overlay_root},
};

void check_network(std::string_view text, Violations& complaints) {
    must(Network::parse(text).has_value(), text, "is not a network, as in 10.0.0.0/8 or fd00::/8",
         complaints);
}

constexpr std::array private_network{
    Field{.name = "item",
          .type = Type::Text,
          .documentation = "An address and the length of its prefix.",
          .maximum = 64,
          .check = check_network},
};
constexpr std::array downloads_fields{
    Field{.name = "allowPrivate",
          .type = Type::List,
          .documentation =
              "Networks of addresses that are not public (private, loopback, link-local and others) and that "
              "archives, git repositories, maps and workshop items may be downloaded from all the same, for "
              "example those of a mirror in your own network. Without it, such an address is refused, also "
              "after a redirect and whatever DNS says.",
          .example = "[10.0.0.0/8, \"fd00::/8\"]",
          .maximum = 64,
          .unique = true,
          .children = private_network},
};

constexpr std::array metrics_fields{
    Field{
        .name = "textfile",
        .type = Type::HostPath,
        .documentation =
            "A file for node_exporter's textfile collector, ending in `.prom`; every pass replaces it. User "
            "left4me must be allowed to write into its directory.",
        .example = "/var/lib/prometheus/node-exporter/left4me.prom",
        .check = check_textfile},
    Field{.name = "port",
          .type = Type::Integer,
          .documentation = "The daemon answers `GET /metrics` on this port of 127.0.0.1.",
          .example = "9727",
          .minimum = 1,
          .maximum = 65535},
};

constexpr std::array limits_fields{
    Field{.name = "fileBytes",
          .type = Type::Size,
          .default_value = "1Mi",
          .documentation = "Maximum size of a manifest file.",
          .example = "4Mi",
          .minimum = kib,
          .maximum = 64 * mib},
    Field{.name = "documents",
          .type = Type::Integer,
          .default_value = "10000",
          .documentation = "Maximum number of documents in a revision, in all files together.",
          .example = "20000",
          .minimum = 1,
          .maximum = 1'000'000},
    Field{.name = "depth",
          .type = Type::Integer,
          .default_value = "32",
          .documentation = "Maximum nesting depth within a document.",
          .example = "64",
          .minimum = 8,
          .maximum = 1000},
    Field{.name = "overlayBytes",
          .type = Type::Size,
          .default_value = "256Gi",
          .documentation =
              "Maximum number of bytes in the directory of one overlay. Holes of sparse files do not count.",
          .example = "32Gi",
          .minimum = mib,
          .maximum = pib},
    Field{.name = "overlayEntries",
          .type = Type::Integer,
          .default_value = "200000",
          .documentation = "Maximum number of files, directories and links in the directory of one overlay.",
          .example = "500000",
          .minimum = 1,
          .maximum = 10'000'000},
    Field{.name = "keepArtifacts",
          .type = Type::Integer,
          .default_value = "3",
          .documentation =
              "How many artifacts of each overlay stay on the host, the present one included, so that "
              "`l4d2ctl rollback` can go back to an earlier one. Those that a server uses stay as well.",
          .example = "1",
          .minimum = 1,
          .maximum = 1000},
};

constexpr std::array settings{
    Field{.name = "source",
          .type = Type::Choice,
          .documentation = "Where the manifests come from: a directory, which is the default, or git.",
          .example = "{directory: /srv/left4me-manifests}",
          .children = source_fields,
          .may_be_empty = true},
    Field{.name = "metrics",
          .type = Type::Map,
          .documentation = "Where metrics for Prometheus are shown.",
          .example = "{port: 9727}",
          .children = metrics_fields,
          .may_be_empty = true},
    Field{.name = "overlayRoots",
          .type = Type::List,
          .default_value = "[/srv/left4dead2, /srv/left4me]",
          .documentation =
              "Directories that may hold sources of overlays: an overlay's `source.directory` must be one of "
              "them or beneath one. Symlinks and mount points beneath them are not followed.",
          .example = "[/srv/left4dead2]",
          .minimum = 1,
          .maximum = 256,
          .children = overlay_root},
    Field{.name = "downloads",
          .type = Type::Map,
          .documentation = "Where archives, git repositories and maps of overlays may be downloaded from.",
          .example = "{allowPrivate: [10.0.0.0/8]}",
          .children = downloads_fields,
          .may_be_empty = true},
    Field{
        .name = "steamcmd",
        .type = Type::HostPath,
        .default_value = default_steamcmd,
        .documentation =
            "The program that fetches the game for Installations: that of Debian's package `steamcmd`, or "
            "the `steamcmd.sh` that Valve publishes, which is copied before it is used, because it replaces "
            "itself. User left4me must be able to read it.",
        .example = "/opt/steamcmd/steamcmd.sh",
        .check = check_file},
    Field{.name = "limits",
          .type = Type::Map,
          .documentation = "How much left4me reads before it refuses.",
          .example = "{overlayBytes: 32Gi}",
          .children = limits_fields,
          .may_be_empty = true},
};

constexpr Field table{.name = "config",
                      .type = Type::Map,
                      .documentation =
                          "How left4me works on this host: `/etc/left4me/config.yaml`. Every "
                          "setting is optional, and so is the file.",
                      .children = settings,
                      .may_be_empty = true};

}  // namespace

const Field& config_table() { return table; }

}  // namespace left4me
