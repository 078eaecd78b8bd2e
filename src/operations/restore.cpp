#include "operations/restore.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <sstream>
#include <system_error>

#include "adapters/child.hpp"
#include "adapters/files.hpp"
#include "adapters/overlayfs/mounts.hpp"
#include "adapters/remove_tree.hpp"
#include "adapters/store/lock.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/events.hpp"
#include "specs/name.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

namespace fs = std::filesystem;

constexpr const char* about_section = "about";
constexpr const char* about_file = "left4me-backup";
constexpr std::size_t max_about_bytes = 65536;
constexpr std::size_t max_error_bytes = 65536;

/// In runtime/, as servers' directories are. No server has such a name.
fs::path room_for_servers(const Paths& paths) { return paths.runtime() / ".restoring-servers"; }

/// Beside `place`, so that a rename puts it there. Only root may enter it.
fs::path room_for(const char* section, const fs::path& place) {
    return place.parent_path() / fmt::format(".restoring-{}", section);
}

Result<void> remove_all_of(const fs::path& path) {
    const Fd parent(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent) return fail(ErrorKind::StateFailed, errno_message(path, errno));
    const auto removed = remove_tree(parent.get(), path.filename());
    if (!removed && fs::exists(fs::symlink_status(path)))
        return fail(ErrorKind::StateFailed, removed.error());
    return {};
}

bool is_empty_or_missing(const fs::path& path) {
    std::error_code error;
    return !fs::exists(fs::symlink_status(path, error)) || fs::is_empty(path, error);
}

bool are_equal_files(const fs::path& one, const fs::path& other) {
    constexpr std::size_t limit = std::size_t{1} << 20U;
    const auto first = read_file(one, limit);
    const auto second = read_file(other, limit);
    return first && second && *first == *second;
}

Result<void> check_stopped(const Context& context, const std::vector<std::string>& servers) {
    const auto mounts = read_mounts(context.paths);
    if (!mounts) return fail(ErrorKind::HostUnavailable, mounts.error());
    std::vector<std::string> running;
    for (const std::string& server : servers)
        if (mounts->contains(server)) running.push_back(server);
    if (running.empty()) return {};
    return fail(ErrorKind::NotDone,
                fmt::format("{0} runs, and would write over what is restored; stop it first:\n"
                            "  l4d2ctl players\n  sudo l4d2ctl stop {0}",
                            fmt::join(running, " ")));
}

/// Puts `from` where `to` is. What was there is then at `from`: with the paths exchanged, this is the way
/// back.
Result<void> put(const fs::path& from, const fs::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return {};
    if (errno == ENOENT && ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
        return {};
    return fail(ErrorKind::StateFailed, errno_message(to, errno));
}

/// Whether put() can take place there: a rename puts nothing behind a link, and crosses no mount point.
Result<void> check_place(const fs::path& from, const fs::path& to) {
    struct stat room{};
    struct stat parent{};
    struct stat place{};
    if (::stat(from.parent_path().c_str(), &room) != 0)
        return fail(ErrorKind::StateFailed, errno_message(from, errno));
    const bool has_parent = ::stat(to.parent_path().c_str(), &parent) == 0;
    const bool is_there = ::lstat(to.c_str(), &place) == 0;
    if (is_there && S_ISLNK(place.st_mode))
        return fail(
            ErrorKind::NotDone,
            fmt::format("nothing was restored: {0} is a link, which restore does not replace; put what "
                        "it leads to in its place, or remove it:\n  sudo rm {0}",
                        to.string()));
    const auto refuse = [](const fs::path& path) {
        return fail(ErrorKind::NotDone,
                    fmt::format("nothing was restored: {0} is a file system of its own (a mount point or a "
                                "subvolume), which restore cannot replace; unmount or move it, restore, then "
                                "move what was restored onto it",
                                path.string()));
    };
    if (has_parent && parent.st_dev != room.st_dev) return refuse(to.parent_path());
    // Of files, overlayfs gives another number.
    if (is_there && S_ISDIR(place.st_mode) && place.st_dev != room.st_dev) return refuse(to);
    return {};
}

/// The directory that left4me-overlay locks while it mounts and unmounts.
Result<Fd> lock_runtime(const Context& context, const std::string& server) {
    const fs::path path = context.paths.runtime() / server;
    if (::mkdir(path.c_str(), 0711) != 0 && errno != EEXIST)
        return fail(ErrorKind::StateFailed, errno_message(path, errno));
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory || ::flock(directory.get(), LOCK_EX) != 0)
        return fail(ErrorKind::StateFailed, errno_message(path, errno));
    return directory;
}

/// Verifies the archive and unpacks it; its own words, if that fails.
Result<void> run_unpack(const RestoreRequest& request, int archive,
                        const std::map<std::string, fs::path>& rooms) {
    auto clear_text = make_pipe();
    auto errors = make_pipe();
    if (!clear_text || !errors)
        return fail(ErrorKind::StateFailed, (clear_text ? errors : clear_text).error());
    std::optional<pid_t> decrypting;
    if (is_encrypted(archive)) {
        if (::access(age_program, X_OK) != 0)
            return fail(ErrorKind::NotFound, "it is encrypted with age; sudo apt-get install age");
        std::vector<std::string> words{age_program, "--decrypt"};
        for (const std::string& identity : request.identities) {
            words.emplace_back("--identity");
            words.push_back(identity);
        }
        const auto started = start_child(words, {archive, clear_text->write.get(), -1, -1});
        if (!started) return fail(ErrorKind::NotDone, started.error());
        decrypting = *started;
    }
    clear_text->write.reset();
    std::vector<std::string> words{LEFT4ME_BACKUP, "unpack"};
    for (const auto& [section, room] : rooms) words.push_back(section + "=" + room.string());
    const auto unpacking =
        start_child(words, {decrypting ? clear_text->read.get() : archive, -1, errors->write.get(), -1});
    clear_text->read.reset();
    errors->write.reset();
    const auto why = read_descriptor(errors->read.get(), "left4me-backup", max_error_bytes);
    const int unpacked = unpacking ? wait_for_child(*unpacking) : 0;
    const int decrypted = decrypting ? wait_for_child(*decrypting) : 0;
    if (!unpacking) return fail(ErrorKind::NotDone, unpacking.error());
    // Only if it knew what to do: otherwise it is killed by the pipe that nobody reads.
    if (decrypted != 0 && decrypted < 128)
        return fail(ErrorKind::PermissionDenied, "age could not decrypt the backup; nothing was restored");
    if (unpacked == 0) return {};
    std::string text = why ? printable(*why) : "left4me-backup failed";
    while (text.ends_with('\n')) text.pop_back();
    return fail(ErrorKind::InvalidManifest, "the backup was not restored, and nothing was changed: " + text);
}

}  // namespace

Restoration::~Restoration() {
    for (const auto& [section, room] : rooms_) (void)remove_all_of(room);
}

Result<void> Restoration::make_rooms(const Context& context, const RestoreRequest& request) {
    std::map<std::string, fs::path> rooms;
    rooms[about_section] = room_for(about_section, context.paths.status());
    rooms[servers_section] = room_for_servers(context.paths);
    if (request.server.empty()) {
        sections_ = backup_sections(context);
        // The configuration that comes with it may follow the other kind of source.
        const auto is_known = [this](std::string_view name) {
            return std::any_of(sections_.begin(), sections_.end(),
                               [name](const BackupSection& section) { return section.name == name; });
        };
        if (!is_known("manifests"))
            sections_.push_back({"manifests", Config{}.source_directory, "the manifests"});
        if (!is_known("manifests.git"))
            sections_.push_back({"manifests.git", GitSettings{}.repository, "the repository of manifests"});
    }
    for (const BackupSection& section : sections_)
        rooms[section.name] = room_for(section.name.c_str(), section.place);
    for (const auto& [section, room] : rooms) {
        // What a restore left that was killed.
        if (auto removed = remove_all_of(room); !removed) return removed;
        if (::mkdir(room.c_str(), 0700) != 0) return fail(ErrorKind::StateFailed, errno_message(room, errno));
        rooms_[section] = room;
    }
    return {};
}

Result<void> Restoration::read_about(const Context& context) {
    const auto text = read_file(rooms_[about_section] / about_file, max_about_bytes);
    if (!text) return fail(ErrorKind::StateFailed, text.error());
    std::istringstream lines(*text);
    std::string line;
    std::string format;
    std::map<std::string, std::string> places;
    while (std::getline(lines, line)) {
        const auto word = [&line] {
            const std::size_t space = std::min(line.find(' '), line.size());
            const std::string first = line.substr(0, space);
            line.erase(0, std::min(space + 1, line.size()));
            return first;
        };
        const std::string key = word();
        if (key == "format") format = line;
        if (key == "host") host_ = printable_line(line);
        if (key == "made") made_ = printable_line(line);
        if (key == "place") {
            const std::string section = word();
            places[section] = line;
        }
    }
    if (format != "1")
        return fail(ErrorKind::InvalidManifest,
                    fmt::format("the backup has format {}, and this l4d2ctl knows format 1; upgrade left4me",
                                in_quotes(format)));
    // An archive does not choose where root writes: either to the defaults, or as this host is configured.
    for (const BackupSection& section : sections_) {
        const auto place = places.find(section.name);
        if (place == places.end() || section.place == place->second ||
            is_empty_or_missing(rooms_[section.name]))
            continue;
        return fail(ErrorKind::NotDone,
                    fmt::format("{} of the backup were in {}, those of this host are in {}; write the "
                                "backup's configuration first, then restore again:\n"
                                "  tar -x --zstd -O -f BACKUP config/config.yaml | sudo tee {}",
                                section.meaning, printable_line(place->second), section.place.string(),
                                context.config_path));
    }
    return {};
}

void Restoration::look_at(const std::string& meaning, const Move& move, bool counts) {
    if (!fs::exists(fs::symlink_status(move.from))) return;
    const std::string part = fmt::format("{} in {}", meaning, move.to.string());
    if (std::find(parts_.begin(), parts_.end(), part) == parts_.end()) parts_.push_back(part);
    if (counts && !is_empty_or_missing(move.to) && !are_equal_files(move.from, move.to))
        replaced_.push_back(part);
    moves_.push_back(move);
}

Result<void> Restoration::look(const Context& context) {
    for (const BackupSection& section : sections_) {
        const auto room = rooms_.find(section.name);
        if (room == rooms_.end() || is_empty_or_missing(room->second)) continue;
        const std::string& name = section.name;
        if (name == "state") {
            parts_.emplace_back(section.meaning);
            // File by file: what is of this host alone stays.
            for (const auto& file : fs::directory_iterator(room->second))
                moves_.push_back({file.path(), section.place / file.path().filename(), ""});
        } else if (name == "manifests.git") {
            repository_ = section.place;
            look_at(section.meaning, {room->second, section.place, ""}, true);
        } else {
            look_at(section.meaning, {room->second / section.place.filename(), section.place, ""}, true);
        }
    }
    std::error_code error;
    for (auto entry = fs::directory_iterator(rooms_[servers_section], error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string server = entry->path().filename();
        if (!is_valid_name(server))
            return fail(ErrorKind::InvalidManifest, in_quotes(server) + " is no name of a server");
        servers_.push_back(server);
    }
    std::sort(servers_.begin(), servers_.end());
    for (const std::string& server : servers_)
        for (const char* part : kept_of_servers)
            look_at(
                fmt::format("what {} wrote", server),
                {rooms_[servers_section] / server / part, context.paths.runtime() / server / part, server},
                true);
    return {};
}

Result<Restoration> Restoration::unpack(Context& context, const RestoreRequest& request, int archive) {
    if (request.server.empty() && daemon_listens(context.paths))
        return fail(ErrorKind::NotDone,
                    "l4d2d runs, and would write over what is restored; stop it, and start it again after:\n"
                    "  sudo systemctl stop left4me.service");
    auto alone = hold_lock_file(context.paths.run / "restore.lock");
    if (!alone)
        return fail(ErrorKind::StateFailed, errno_message(context.paths.run / "restore.lock", alone.error()));
    Restoration restoration;
    restoration.alone_ = *std::move(alone);
    if (auto made = restoration.make_rooms(context, request); !made) return std::unexpected(made.error());
    if (auto unpacked = run_unpack(request, archive, restoration.rooms_); !unpacked)
        return std::unexpected(unpacked.error());
    if (auto read = restoration.read_about(context); !read) return std::unexpected(read.error());
    if (!request.server.empty()) {
        const fs::path servers = restoration.rooms_[servers_section];
        if (!fs::exists(servers / request.server))
            return fail(ErrorKind::NotFound,
                        fmt::format("the backup has nothing that server/{} wrote", request.server));
        for (const auto& other : fs::directory_iterator(servers))
            if (other.path().filename() != request.server)
                if (auto removed = remove_all_of(other.path()); !removed)
                    return std::unexpected(removed.error());
    }
    if (auto looked = restoration.look(context); !looked) return std::unexpected(looked.error());
    for (const Move& move : restoration.moves_)
        if (auto checked = check_place(move.from, move.to); !checked) return std::unexpected(checked.error());
    if (auto stopped = check_stopped(context, restoration.servers_); !stopped)
        return std::unexpected(stopped.error());
    return restoration;
}

Result<void> Restoration::place(Context& context) {
    const auto waiting = [&context](const std::string& holder) { context.notice("waiting for " + holder); };
    const auto pass = PassLock::acquire(context.paths, context.purpose, waiting);
    if (!pass) return fail(ErrorKind::StateFailed, pass.error());
    const auto edits = PassLock::acquire_for_edit(context.paths, context.purpose, waiting);
    if (!edits) return fail(ErrorKind::StateFailed, edits.error());
    std::vector<Fd> runtimes;
    for (const std::string& server : servers_) {
        auto locked = lock_runtime(context, server);
        if (!locked) return std::unexpected(locked.error());
        runtimes.push_back(*std::move(locked));
    }
    // Now that nothing can be mounted.
    if (auto stopped = check_stopped(context, servers_); !stopped) return stopped;
    for (auto move = moves_.begin(); move != moves_.end(); ++move) {
        const auto done = put(move->from, move->to);
        if (!done) return put_back(move, done.error());
    }
    return {};
}

Result<void> Restoration::put_back(std::vector<Move>::iterator end, const Error& why) {
    std::string text = why.message + "; nothing was restored";
    while (end != moves_.begin()) {
        --end;
        if (const auto done = put(end->to, end->from); !done) {
            text = fmt::format("{}; and what was in {} could not be put back: it is {}", why.message,
                               end->to.string(), end->from.string());
            rooms_.clear();  // nothing is removed that may be somebody's only copy
            break;
        }
    }
    return fail(why.kind, text);
}

void tell_restored(const Context& context, const std::vector<std::string>& servers,
                   const std::string& origin) {
    record_event(context, server_subjects(servers), "Restored",
                 "what it wrote was restored, as it was on " + origin);
    (void)trigger(context.paths);
}

}  // namespace left4me::operations
