#include "builder/steam/steam.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "adapters/store/copy.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/steam_files.hpp"
#include "adapters/store/tree.hpp"
#include "builder/directory/copy.hpp"
#include "builder/say.hpp"
#include "builder/steam/output.hpp"
#include "builder/steam/steamcmd.hpp"
#include "reconciler/game.hpp"

namespace left4me::builder {

namespace {

namespace room_of = store::steam_room;

/// What steamcmd notes in the directory that it installs into.
constexpr const char* steamapps = "steamapps";
constexpr std::size_t max_manifest_bytes = 1U << 20U;
/// One pass is tried so often; the build itself is tried again later.
constexpr unsigned max_attempts = 5;
constexpr unsigned max_self_updates = 3;
constexpr unsigned downloading = 0x61;

Built<void> remove(int directory, const char* name) {
    if (auto removed = store::remove_tree(directory, name); !removed)
        return own_failure(errno, removed.error());
    return {};
}

/// Before it is tried again; longer each time.
void pause(unsigned attempt) { std::this_thread::sleep_for(std::chrono::seconds(1U << attempt)); }

/// The path of an open directory, in this unit's view.
Built<std::string> path_of(int directory) {
    std::string path(4096, '\0');
    const ssize_t length =
        ::readlink(fmt::format("/proc/self/fd/{}", directory).c_str(), path.data(), path.size());
    if (length < 0) return own_failure(errno, store::io_error("/proc/self/fd").error());
    path.resize(static_cast<std::size_t>(length));
    return path;
}

class Installation {
  public:
    Installation(const SteamSource& source, int build_directory, Fd room, SteamCmd steamcmd,
                 Progress& progress)
        : source_(source),
          build_directory_(build_directory),
          room_(std::move(room)),
          steamcmd_(std::move(steamcmd)),
          progress_(progress),
          input_(fingerprint(source)),
          wanted_(source.pin ? source.pin->build : source.build) {}

    Built<Staged> stage(int last_artifact, Staging& staging) {
        if (auto right = check_newest(); !right) return std::unexpected(right.error());
        auto staged = install(last_artifact, staging);
        // Others need the disk; what there was to keep can be fetched again.
        if (!staged && staged.error().kind == BuildFailureKind::NoSpace)
            (void)store::remove_tree(room_.get(), room_of::game);
        return staged;
    }

    /// The newest build at Steam.
    Built<std::string> look_up() {
        const std::string arguments =
            fmt::format("+login anonymous +app_info_update 1 +app_info_print {} +quit", game::steam_app);
        for (unsigned attempt = 0, updates = 0;;) {
            SteamOutput output;
            const auto ended = steamcmd_.run(arguments, output, [] {});
            if (!ended) return std::unexpected(ended.error());
            const SteamVerdict verdict = judge_lookup(output, *ended);
            if (verdict.end == SteamEnd::Done) return output.public_build();
            if (auto again = may_try_again(verdict, attempt, updates); !again)
                return std::unexpected(again.error());
        }
    }

  private:
    /// A build that is not the newest cannot be had: better to know before 10 GB are copied.
    Built<void> check_newest() {
        if (wanted_.empty()) return {};
        const auto newest = look_up();
        if (!newest) return std::unexpected(newest.error());
        return check_build(*newest);
    }

    Built<void> check_build(const std::string& build) const {
        if (wanted_.empty() || build == wanted_) return {};
        if (source_.pin)
            return source_failure(
                fmt::format("Steam gives build {} and no other, but left4me.lock asks for {}; sudo l4d2ctl "
                            "install NAME takes it",
                            build, wanted_));
        return source_failure(
            fmt::format("Steam gives build {} and no other, but spec.build is {}; correct it, or remove it",
                        build, wanted_));
    }

    Built<Staged> install(int last_artifact, Staging& staging) {
        if (auto prepared = prepare(last_artifact, staging); !prepared)
            return std::unexpected(prepared.error());
        for (const char* const platform : {"windows", "linux"}) {
            if (auto passed = pass(platform); !passed) return std::unexpected(passed.error());
        }
        const auto build = installed_build();
        if (!build) return std::unexpected(build.error());
        if (auto right = check_build(*build); !right) return std::unexpected(right.error());
        if (auto kept = keep_known(); !kept) return std::unexpected(kept.error());
        const auto digest = settle();
        if (!digest) return std::unexpected(digest.error());
        if (auto wrote = store::write_new(room_.get(), room_of::known_of, *digest, 0640, 0750); !wrote)
            return own_failure(errno, wrote.error());
        if (auto adopted = staging.adopt(room_.get(), room_of::game); !adopted)
            return std::unexpected(adopted.error());
        Staged staged{*digest, input_, "build " + *build};
        if (source_.build.empty()) staged.pin = SteamPin{*build};
        return staged;
    }

    Fd open_game() const { return store::open_directory(room_.get(), room_of::game); }

    /// What a killed build has left, or a copy of the last artifact: with shared blocks where the file system
    /// can, because steamcmd writes into files, and must not write into those of a server.
    Built<void> prepare(int last_artifact, Staging& staging) {
        if (open_game()) {
            say("steamcmd continues where it was");
            return {};
        }
        if (last_artifact < 0) {
            if (auto made = store::make_directory(room_.get(), room_of::game, store::overlay_directory_mode);
                !made)
                return own_failure(errno, made.error());
            return {};
        }
        const auto path = path_of(last_artifact);
        if (!path) return std::unexpected(path.error());
        if (auto enough = check_space(last_artifact); !enough) return enough;
        say("the installation begins as a copy of the last one");
        std::string copied;
        if (auto staged = stage_directory({*path, *path, source_.limits}, staging, progress_, copied);
            !staged)
            return std::unexpected(staged.error());
        if (auto moved = staging.move_tree_to(room_.get(), room_of::game); !moved) return moved;
        return put_back_known(path->substr(path->rfind('/') + 1));
    }

    /// Unless it is of another artifact: the build after `last` was killed just before it was recorded.
    Built<void> put_back_known(const std::string& last) {
        if (store::read_file(room_.get(), room_of::known_of, last.size()) != last)
            return remove(room_.get(), room_of::known);
        const Fd game = open_game();
        if (::renameat(room_.get(), room_of::known, game.get(), steamapps) != 0 && errno != ENOENT)
            return own_failure(errno, store::io_error(steamapps).error());
        return {};
    }

    Built<void> check_space(int last_artifact) const {
        const auto tree = store::scan_tree(last_artifact, source_.limits);
        if (!tree) return source_failure(tree.error());
        struct statvfs disk{};
        if (::fstatvfs(build_directory_, &disk) != 0)
            return own_failure(errno, store::io_error("statvfs").error());
        const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
        if (free > tree->bytes) return {};
        constexpr std::uint64_t mib = 1U << 20U;
        return std::unexpected(BuildError{
            BuildFailureKind::NoSpace,
            fmt::format("the new build needs {} MiB beside the present one, and {} MiB are free beneath "
                        "/var/lib/left4me; l4d2ctl gc --dry-run shows what else is there",
                        tree->bytes / mib, free / mib)});
    }

    Built<void> pass(const char* platform) {
        bool validate = true;
        for (unsigned attempt = 0, updates = 0;;) {
            say(fmt::format("steamcmd installs the files for {}{}", platform,
                            validate ? "" : ", without validate"));
            const auto path = path_of(room_.get());
            if (!path) return std::unexpected(path.error());
            SteamOutput output;
            progress_.begin(BuildPhase::Updating, 0, 0, input_);
            const auto ended = steamcmd_.run(
                fmt::format(
                    "+@ShutdownOnFailedCommand 1 +@NoPromptForPassword 1 +force_install_dir {}/{} +login "
                    "anonymous +@sSteamCmdForcePlatformType {} +app_update {}{} +quit",
                    *path, room_of::game, platform, game::steam_app, validate ? " validate" : ""),
                output, [&] { tell(output); });
            if (!ended) return std::unexpected(ended.error());
            SteamVerdict verdict = judge_update(output, *ended);
            if (verdict.end == SteamEnd::Done && !has_game(platform))
                verdict = {SteamEnd::Stuck,
                           fmt::format("steamcmd reports success, but there is no {}", game::executable)};
            if (verdict.end == SteamEnd::Done) return {};
            if (verdict.end == SteamEnd::WithoutValidate) validate = false;
            if (verdict.end == SteamEnd::Stuck) {
                if (auto removed = remove(open_game().get(), steamapps); !removed) return removed;
            }
            if (auto again = may_try_again(verdict, attempt, updates); !again) return again;
        }
    }

    /// The files that are for Linux alone.
    bool has_game(std::string_view platform) const {
        return platform != "linux" || ::faccessat(open_game().get(), game::executable, F_OK, 0) == 0;
    }

    static Built<void> may_try_again(const SteamVerdict& verdict, unsigned& attempt, unsigned& updates) {
        say(verdict.message);
        switch (verdict.end) {
            case SteamEnd::Done:
                return {};
            case SteamEnd::Again:
                if (++updates <= max_self_updates) return {};
                return source_failure("steamcmd replaces itself again and again");
            case SteamEnd::DiskFull:
                return std::unexpected(BuildError{BuildFailureKind::NoSpace, verdict.message});
            case SteamEnd::Fatal:
                return source_failure(verdict.message);
            case SteamEnd::Retry:
            case SteamEnd::WithoutValidate:
            case SteamEnd::Stuck:
                if (++attempt == max_attempts)
                    return source_failure(fmt::format("{}; tried {} times", verdict.message, max_attempts));
                pause(attempt - 1);
                return {};
        }
        return {};
    }

    void tell(const SteamOutput& output) {
        if (!output.progress() || output.progress() == told_) return;
        const bool begins = !told_ || told_->state != output.progress()->state;
        told_ = output.progress();
        if (begins) {
            progress_.begin(told_->state == downloading ? BuildPhase::Downloading : BuildPhase::Updating,
                            told_->total, 0, input_);
        }
        progress_.total_bytes(told_->total);
        progress_.at(told_->bytes);
    }

    Built<std::string> installed_build() const {
        const Fd known = store::open_directory(open_game().get(), steamapps);
        const auto text = store::read_file(known.get(), fmt::format("appmanifest_{}.acf", game::steam_app),
                                           max_manifest_bytes);
        std::string build = build_in_manifest(text.value_or(std::string()));
        if (build.empty()) return source_failure("steamcmd has not noted which build it has installed");
        return build;
    }

    /// What steamcmd notes differs from host to host, and is not part of the game. With it, the next update
    /// need not look at every file first.
    Built<void> keep_known() {
        for (const char* const earlier : {room_of::known_of, room_of::known}) {
            if (auto removed = remove(room_.get(), earlier); !removed) return removed;
        }
        if (::renameat(open_game().get(), steamapps, room_.get(), room_of::known) != 0)
            return own_failure(errno, store::io_error(steamapps).error());
        return {};
    }

    /// Gives everything the modes of an artifact, and returns its digest. What it is named after is on the
    /// disk then.
    Built<std::string> settle() {
        const Fd game = open_game();
        const auto tree = store::scan_tree(game.get(), source_.limits);
        if (!tree) return source_failure(tree.error());
        for (const store::TreeEntry& entry : tree->entries) {
            if (auto set = set_mode(game.get(), entry); !set) return std::unexpected(set.error());
        }
        auto digest = store::digest_tree(game.get(), *tree);
        if (!digest) return own_failure(errno, digest.error());
        if (::syncfs(game.get()) != 0) return own_failure(errno, store::io_error("writing to disk").error());
        return *digest;
    }

    static Built<void> set_mode(int game, const store::TreeEntry& entry) {
        using Kind = store::TreeEntry::Kind;
        if (entry.kind == Kind::Link) return {};
        struct stat status{};
        if (::fstatat(game, entry.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
            return own_failure(errno, store::io_error(entry.path).error());
        mode_t mode = store::overlay_file_mode;
        if (entry.kind == Kind::Program) mode = store::overlay_program_mode;
        if (entry.kind == Kind::Directory) mode = store::overlay_directory_mode | (status.st_mode & S_ISGID);
        if ((status.st_mode & 07777U) == mode) return {};
        if (::fchmodat(game, entry.path.c_str(), mode, 0) != 0)
            return own_failure(errno, store::io_error(entry.path).error());
        return {};
    }

    const SteamSource& source_;
    int build_directory_;
    Fd room_;
    SteamCmd steamcmd_;
    Progress& progress_;
    std::string input_;
    std::string wanted_;  ///< the build that it must be; empty: any
    std::optional<SteamProgress> told_;
};

Built<Installation> open_installation(const SteamSource& source, int build_directory, Progress& progress) {
    Fd room = store::open_directory(build_directory, room_of::directory);
    if (!room) return own_failure(errno, store::io_error(room_of::directory).error());
    auto steamcmd = SteamCmd::open(room.get());
    if (!steamcmd) return std::unexpected(steamcmd.error());
    return Installation(source, build_directory, std::move(room), std::move(*steamcmd), progress);
}

}  // namespace

Built<Staged> stage_steam(const SteamSource& source, int build_directory, int last_artifact, Staging& staging,
                          Progress& progress) {
    auto installation = open_installation(source, build_directory, progress);
    if (!installation) return std::unexpected(installation.error());
    return installation->stage(last_artifact, staging);
}

Built<Pin> look_up_steam(int build_directory, Progress& progress) {
    const SteamSource newest;
    auto installation = open_installation(newest, build_directory, progress);
    if (!installation) return std::unexpected(installation.error());
    auto build = installation->look_up();
    if (!build) return std::unexpected(build.error());
    return SteamPin{std::move(*build)};
}

}  // namespace left4me::builder
