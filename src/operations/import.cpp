#include "operations/import.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>

#include "adapters/child.hpp"
#include "adapters/digest.hpp"
#include "adapters/files.hpp"
#include "adapters/overlayfs/mounts.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/edit.hpp"
#include "operations/lock.hpp"
#include "specs/instance_spec.hpp"
#include "specs/name.hpp"

namespace left4me::operations {

namespace {

namespace fs = std::filesystem;
using Done = std::expected<void, std::string>;

constexpr std::size_t max_file_bytes = std::size_t{1} << 20U;
constexpr std::size_t max_files = 100'000;
constexpr std::chrono::minutes patience{10};
/// Where overlays of directories go, one of the default overlayRoots.
constexpr const char* copies = "/srv/left4me";
constexpr const char* unit_name = "left4me-server@.service";
/// Where the old platform has put its unit; both come before left4me's.
constexpr const char* unit_places[] = {"/etc/systemd/system", "/usr/local/lib/systemd/system"};

fs::path imported(const Paths& paths) { return paths.config / "imported"; }

std::string drop_in(const std::string& server) {
    return fmt::format("left4me-server@{}.service.d/50-imported.conf", server);
}

std::vector<fs::path> entries(const fs::path& directory) {
    std::vector<fs::path> found;
    std::error_code error;
    for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
        found.push_back(entry->path());
    std::sort(found.begin(), found.end());
    return found;
}

/// Runs a program of the host; its own words, if it fails.
Done run(const std::vector<std::string>& words) {
    const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const auto ended = run_child(words, nothing, Fd(), patience);
    if (!ended) return std::unexpected(ended.error());
    if (ended->code == 0) return {};
    return std::unexpected(fmt::format("{}: {}", fmt::join(words, " "), ended->output));
}

Done move(const fs::path& from, const fs::path& to) {
    return run({"/usr/bin/mv", "--no-target-directory", from, to});
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

/// The items, if all that is in the directory is addons named after items of the workshop.
std::vector<std::string> workshop_items(const fs::path& directory) {
    std::vector<std::string> items;
    std::error_code error;
    std::size_t seen = 0;
    for (auto entry = fs::recursive_directory_iterator(directory, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        if (++seen > max_files) return {};
        if (!entry->is_symlink() && entry->is_directory()) continue;
        const fs::path& path = entry->path();
        const std::string item = path.stem();
        if (path.parent_path() != directory / "left4dead2/addons" || path.extension() != ".vpk" ||
            item.find_first_not_of("0123456789") != std::string::npos)
            return {};
        items.push_back(item);
    }
    std::sort(items.begin(), items.end());
    return items;
}

std::string overlay_manifest(const std::string& name, const std::string& source) {
    return fmt::format(
        "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {{name: {}}}\nspec: {{source: {}}}\n", name,
        source);
}

/// The first link that leads to nothing; empty: there is none.
std::string find_dangling_link(const fs::path& directory) {
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(directory, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code unknown;
        if (entry->is_symlink(unknown) && !entry->exists(unknown)) return entry->path();
    }
    return {};
}

/// Whether a server is mounted with this path beneath the state directory, or with something in it.
bool is_mounted(const std::map<std::string, std::vector<std::string>>& mounts, const std::string& path) {
    return std::any_of(mounts.begin(), mounts.end(), [&path](const auto& mount) {
        return std::any_of(mount.second.begin(), mount.second.end(), [&path](const std::string& layer) {
            return layer == path || layer.starts_with(path + "/");
        });
    });
}

Result<Import> refuse(const std::string& why) {
    return fail(ErrorKind::NotDone, why + "; nothing was imported");
}

/// As left4me, to whom it belongs: root follows no link that left4me could have made.
Done copy_overlay(const Paths& paths, const std::string& directory, const passwd& left4me) {
    const std::string name = name_of_old_overlay(directory);
    if (!is_valid_name(name)) return std::unexpected(directory + " is no directory of an overlay");
    const fs::path to = fs::path(copies) / name;
    if (::mkdir(to.c_str(), 0755) == 0) {
        if (::lchown(to.c_str(), left4me.pw_uid, left4me.pw_gid) != 0)
            return std::unexpected(errno_message(to, errno));
    } else if (errno != EEXIST) {
        return std::unexpected(errno_message(to, errno));
    }
    // Links lead into the old platform's caches.
    return run({"/usr/bin/setpriv", "--reuid", service_user, "--regid", service_user, "--init-groups",
                "/usr/bin/cp", "--recursive", "--dereference", "--reflink=auto", "--preserve=mode,timestamps",
                "--no-target-directory", paths.overlays() / directory, to});
}

}  // namespace

Result<Import> plan_import(const Context& context) {
    const Paths& paths = context.paths;
    if (is_there(paths.cgroups / "system.slice/left4me-web.service"))
        return refuse(
            "left4me-web.service of the old platform runs, and would start and stop servers; "
            "sudo systemctl disable --now left4me-web.service");
    const auto& roots = context.config.limits.overlay_roots;
    if (std::find(roots.begin(), roots.end(), copies) == roots.end())
        return refuse(fmt::format("overlays are copied to {}, which overlayRoots in {} does not have", copies,
                                  context.config_path));
    const auto mounts = read_mounts(paths);
    if (!mounts) return fail(ErrorKind::HostUnavailable, mounts.error());
    Import import{.manifests = {"the old platform's files", ""},
                  .servers = {},
                  .running = {},
                  .overlays = {},
                  .objects = {}};
    std::set<std::string> overlays;
    std::string texts;
    for (const fs::path& instance : entries(paths.instances())) {
        const fs::path environment = instance / "instance.env";
        if (!is_there(environment)) continue;
        const std::string name = instance.filename();
        if (!is_valid_name(name))
            return refuse(
                fmt::format("{} is no name for a server here (a-z, 0-9 and '-', at most 32)", name));
        const auto text = read_file(environment, max_file_bytes);
        if (!text) return refuse(text.error());
        const fs::path cfg = paths.runtime() / name / "upper/left4dead2/cfg/server.cfg";
        const auto config = is_there(cfg) ? read_file(cfg, max_file_bytes) : std::string();
        if (!config) return refuse(config.error());
        OldInstance old{.environment = *text, .config = *config, .state = paths.state, .overlays = {}};
        const auto spec = spec_of(name, old);
        if (!spec) return refuse(fmt::format("{}: {}", name, spec.error()));
        const bool running = mounts->contains(name);
        const auto converted =
            convert_instance_spec(name, *spec, running ? RunState::Running : RunState::Stopped);
        if (!converted) return fail(ErrorKind::InvalidManifest, to_string(converted.error()));
        texts += "---\n" + *converted;
        overlays.insert(old.overlays.begin(), old.overlays.end());
        import.servers.push_back(name);
        if (running) import.running.push_back(name);
        import.objects.push_back("server/" + name);
        import.objects.push_back("blueprint/" + name);
    }
    if (import.servers.empty())
        return fail(ErrorKind::NotFound, fmt::format("{}: no server of the old platform (NAME/instance.env)",
                                                     paths.instances().string()));
    for (const std::string& directory : overlays) {
        const fs::path from = paths.overlays() / directory;
        const std::string name = name_of_old_overlay(directory);
        if (!fs::is_directory(from)) return refuse(from.string() + " is no directory");
        const auto items = workshop_items(from);
        std::string source;
        if (!items.empty()) {
            source = fmt::format("{{workshop: {{items: [\"{}\"]}}}}", fmt::join(items, "\", \""));
        } else {
            if (const std::string link = find_dangling_link(from); !link.empty())
                return refuse(link + " is a link that leads to nothing left4me could copy; remove it");
            import.overlays.push_back(directory);
            source = fmt::format("{{directory: {}/{}}}", copies, name);
        }
        if (!import.manifests.text.empty()) import.manifests.text += "---\n";
        import.manifests.text += overlay_manifest(name, source);
        import.objects.push_back("overlay/" + name);
    }
    import.manifests.text += import.manifests.text.empty() ? texts.substr(4) : texts;
    return import;
}

std::expected<void, std::string> hand_over(const Paths& paths, const std::vector<std::string>& servers,
                                           const std::vector<std::string>& overlays,
                                           const std::vector<std::string>& objects) {
    const fs::path notes = imported(paths);
    const passwd* const user = ::getpwnam(service_user);
    if (user == nullptr) return std::unexpected("there is no user left4me");
    std::error_code error;
    fs::create_directories(notes / "wants", error);
    for (const char* place : {"0", "1"}) fs::create_directories(notes / "units" / place, error);
    if (error) return std::unexpected(errno_message(notes, error.value()));
    // Notes come first: what is killed from here on can be undone.
    std::string owners;
    for (const std::string& server : servers) {
        struct stat status{};
        const fs::path runtime = paths.runtime() / server;
        if (!is_valid_name(server) || ::lstat(runtime.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
            return std::unexpected(runtime.string() + " is no directory of a server");
        owners +=
            fmt::format("{} {}:{} {:o}\n", server, status.st_uid, status.st_gid, status.st_mode & 07777U);
    }
    if (!is_there(notes / "owners")) {
        if (auto written = write_file(notes / "owners", owners); !written) return written;
    }
    if (auto written = write_file(notes / "objects", fmt::format("{}\n", fmt::join(objects, "\n"))); !written)
        return written;
    fs::create_directories(copies, error);
    // What may fail for want of space comes before the old units go.
    for (const std::string& directory : overlays) {
        if (auto copied = copy_overlay(paths, directory, *user); !copied) return copied;
    }
    for (std::size_t i = 0; i < std::size(unit_places); ++i) {
        const fs::path unit = fs::path(unit_places[i]) / unit_name;
        const auto text = read_file(unit, max_file_bytes);
        if (!text || !text->contains("instances/%i/instance.env")) continue;
        // The unit last: whoever is killed in between finds it again.
        for (const std::string& name : {std::string(unit_name) + ".d", std::string(unit_name)}) {
            const fs::path from = fs::path(unit_places[i]) / name;
            if (!is_there(from)) continue;
            if (auto moved = move(from, notes / "units" / std::to_string(i) / name); !moved) return moved;
        }
    }
    for (const std::string& server : servers) {
        for (const fs::path& wants : entries(paths.systemd_etc)) {
            const fs::path link = wants / fmt::format("left4me-server@{}.service", server);
            if (wants.extension() != ".wants" || !is_there(link)) continue;
            const fs::path to = notes / "wants" / wants.filename();
            fs::create_directories(to, error);
            if (auto moved = move(link, to / link.filename()); !moved) return moved;
        }
        const fs::path runtime = paths.runtime() / server;
        const Fd directory(::open(runtime.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory || ::fchown(directory.get(), 0, 0) != 0 || ::fchmod(directory.get(), 0711) != 0)
            return std::unexpected(errno_message(runtime, errno));
        // The game, another user from the next start on, reads its rendering there.
        if (auto given =
                run({"/usr/bin/chgrp", "--no-dereference", "left4me-server", paths.instances() / server});
            !given)
            return given;
        const fs::path conf = paths.systemd_etc / drop_in(server);
        fs::create_directories(conf.parent_path(), error);
        // What the old game wrote, until it ends, becomes the new one's.
        const auto text = fmt::format(
            "# l4d2ctl import: what the old platform's game wrote belongs to left4me's. Not needed after the "
            "next start.\n[Service]\nExecStartPre=+/usr/bin/chown --recursive --no-dereference "
            "left4me-server:left4me-server {}/upper\n",
            runtime.string());
        if (auto written = write_file(conf, text); !written) return written;
    }
    return run({"/usr/bin/systemctl", "daemon-reload"});
}

std::expected<void, std::string> hand_back(const Paths& paths) {
    const fs::path notes = imported(paths);
    const auto mounts = read_mounts(paths);
    if (!mounts) return std::unexpected(mounts.error());
    const auto owners = read_file(notes / "owners", max_file_bytes);
    if (!owners) return std::unexpected(owners.error());
    std::istringstream lines(*owners);
    std::string server;
    std::string owner;
    std::string mode;
    std::error_code error;
    while (lines >> server >> owner >> mode) {
        if (!is_valid_name(server)) continue;
        const fs::path conf = paths.systemd_etc / drop_in(server);
        fs::remove(conf, error);
        fs::remove(conf.parent_path(), error);  // if nothing else is in it
        const std::string link = fmt::format("left4me-server@{}.service", server);
        for (const fs::path& wants : entries(paths.systemd_etc))
            if (wants.extension() == ".wants") fs::remove(wants / link, error);
        const fs::path runtime = paths.runtime() / server;
        std::vector<std::vector<std::string>> commands{
            {"/usr/bin/chown", "--no-dereference", owner, runtime},
            {"/usr/bin/chmod", mode, runtime},
            {"/usr/bin/chown", "--no-dereference", owner, paths.instances() / server}};
        // A game that was restarted since the import is left4me-server, and still writes there.
        if (!is_mounted(*mounts, "instances/" + server))
            commands.push_back(
                {"/usr/bin/chown", "--recursive", "--no-dereference", owner, runtime / "upper"});
        for (const std::vector<std::string>& words : commands)
            if (auto done = run(words); !done) return done;
        // Marks of what left4me rendered for it.
        for (const char* name : {"rendering", "set-aside"}) fs::remove(runtime / name, error);
    }
    for (const fs::path& wants : entries(notes / "wants"))
        for (const fs::path& link : entries(wants)) {
            fs::create_directories(paths.systemd_etc / wants.filename(), error);
            if (auto moved = move(link, paths.systemd_etc / wants.filename() / link.filename()); !moved)
                return moved;
        }
    // left4me's own, which its host tuning writes.
    const std::string drop_ins = std::string(unit_name) + ".d";
    fs::remove(paths.systemd_etc / drop_ins / "50-left4me.conf", error);
    fs::remove(paths.systemd_etc / drop_ins, error);  // if nothing else is in it
    for (std::size_t i = 0; i < std::size(unit_places); ++i) {
        const fs::path noted = notes / "units" / std::to_string(i);
        const fs::path place = unit_places[i];
        if (is_there(noted / drop_ins)) fs::create_directories(place / drop_ins, error);
        for (const fs::path& file : entries(noted / drop_ins))
            if (auto moved = move(file, place / drop_ins / file.filename()); !moved) return moved;
        if (!is_there(noted / unit_name)) continue;
        if (auto moved = move(noted / unit_name, place / unit_name); !moved) return moved;
    }
    if (auto reloaded = run({"/usr/bin/systemctl", "daemon-reload"}); !reloaded) return reloaded;
    fs::remove_all(notes, error);
    return {};
}

Result<std::size_t> forget_import(Context& context) {
    if (daemon_listens(context.paths))
        return fail(ErrorKind::NotDone,
                    "l4d2d runs, and would stop what no manifest asks for any more; stop it first:\n"
                    "  sudo systemctl disable --now left4me.service");
    if (run({"/usr/bin/systemctl", "is-active", "--quiet", "left4me-reconcile.timer"}))
        return fail(ErrorKind::NotDone,
                    "left4me-reconcile.timer is active; stop it first:\n"
                    "  sudo systemctl disable --now left4me-reconcile.timer");
    // No pass sees servers without manifests that are still left4me's.
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto text = read_file(imported(context.paths) / "objects", max_file_bytes);
    if (!text) return fail(ErrorKind::NotFound, "nothing was imported on this host");
    const auto mounts = read_mounts(context.paths);
    if (!mounts) return fail(ErrorKind::HostUnavailable, mounts.error());
    std::size_t count = 0;
    // Those that refer to others first.
    for (const auto& [prefix, kind] :
         {std::pair("server/", Kind::Server), {"blueprint/", Kind::Blueprint}, {"overlay/", Kind::Overlay}}) {
        std::vector<DocumentName> objects;
        std::istringstream lines(*text);
        std::string line;
        while (std::getline(lines, line)) {
            const std::string name = line.substr(line.find('/') + 1);
            if (line.starts_with(prefix) && is_valid_name(name)) objects.push_back({kind, name});
        }
        if (const auto removed = commit(context, [&] { return propose_removal(context, objects); }); !removed)
            return std::unexpected(removed.error());
        count += objects.size();
        std::error_code error;
        for (const DocumentName& object : objects) {
            // Those that were restarted since run on what is mounted.
            if (kind == Kind::Overlay) {
                const fs::path overlay = context.paths.overlays() / object.name;
                for (const fs::path& artifact : entries(overlay))
                    if (!is_mounted(*mounts, fs::path("overlays") / object.name / artifact.filename()))
                        fs::remove_all(artifact, error);
                fs::remove(overlay, error);  // if nothing is left
            }
            if (kind != Kind::Server) continue;
            for (const fs::path& rendering : entries(context.paths.instances() / object.name)) {
                const std::string name = rendering.filename();
                const bool ours =
                    name == "current" ||
                    (is_digest(name) && !is_mounted(*mounts, fs::path("instances") / object.name / name));
                if (ours) fs::remove_all(rendering, error);
            }
        }
    }
    return count;
}

}  // namespace left4me::operations
