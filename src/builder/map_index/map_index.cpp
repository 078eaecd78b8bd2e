#include "builder/map_index/map_index.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/store/copy.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/tree.hpp"
#include "builder/archive/unpack.hpp"
#include "builder/map_index/map_writer.hpp"
#include "builder/map_index/md5.hpp"
#include "builder/map_index/parse_table.hpp"
#include "builder/map_index/read_index.hpp"
#include "reconciler/digest.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Kind = store::TreeEntry::Kind;

constexpr const char* game = "left4dead2";
constexpr const char* addons = "left4dead2/addons";
// In `.build/download`.
constexpr const char* index_name = "index";
constexpr const char* archive_name = "map";
constexpr const char* unpacked_name = "map.vpk";

void say(const std::string& line) { (void)std::fprintf(stderr, "%s\n", printable_line(line).c_str()); }

/// The staging tree as it is to be: its files are identified by what the index says of them.
store::Tree tree_of(const std::vector<Map>& maps) {
    store::Tree tree;
    for (const char* directory : {game, addons})
        tree.entries.push_back({.kind = Kind::Directory, .path = directory, .target = {}, .stats = {}});
    for (const Map& map : maps) {
        tree.entries.push_back({.kind = Kind::File,
                                .path = fmt::format("{}/{}", addons, map.name),
                                .target = {},
                                .bytes = map.size,
                                .stats = Digest().field(map.name).number(map.size).field(map.md5).hex()});
    }
    return tree;
}

class MapIndexBuild {
  public:
    MapIndexBuild(const MapIndexSource& source, int build_directory, int last_artifact, Staging& staging,
                  Progress& progress, const DownloadSettings& settings)
        : source_(source),
          build_directory_(build_directory),
          last_artifact_(last_artifact),
          staging_(staging),
          progress_(progress),
          downloads_{settings, parse_networks(source.private_networks), progress, fingerprint(source)} {}

    Built<Staged> run() {
        auto directory = store::make_directory(build_directory_, Staging::download_name, 0750);
        if (!directory) return own_failure(errno, directory.error());
        directory_ = std::move(*directory);
        const auto maps = fetch_index();
        if (!maps) return std::unexpected(maps.error());
        for (const Map& map : *maps) {
            if (std::count(map.name.begin(), map.name.end(), '.') > 1)
                say(map.name + ": the game on Linux is said to ignore VPKs with two dots in their names");
        }
        const store::Tree tree = tree_of(*maps);
        if (auto pruned = staging_.prune(tree); !pruned) return std::unexpected(pruned.error());
        for (const char* path : {game, addons}) {
            if (auto made = store::make_directory(staging_.tree(), path, store::overlay_directory_mode);
                !made)
                return own_failure(errno, made.error());
        }
        if (auto fits = check_space(*maps, tree); !fits) return std::unexpected(fits.error());

        store::TreeDigest digest;
        const std::size_t directories = tree.entries.size() - maps->size();
        for (std::size_t i = 0; i < tree.entries.size(); ++i) {
            store::Content content;
            if (i >= directories) {
                const std::size_t number = i - directories;
                progress_.item(number + 1, maps->size(), (*maps)[number].name);
                auto staged = stage((*maps)[number], tree.entries[i]);
                if (!staged) return in_map((*maps)[number], staged.error());
                content = std::move(*staged);
            }
            digest.add(tree.entries[i], content);
        }
        say(fmt::format("{} maps: {} fetched, {} as before", maps->size(), fetched_,
                        maps->size() - fetched_));
        return Staged{digest.hex(), downloads_.input};
    }

  private:
    static std::unexpected<BuildError> in_map(const Map& map, BuildError error) {
        const bool outside = error.kind == BuildFailureKind::SourceUnavailable;
        error.message = printable_line(fmt::format("map {}: {}{}", in_quotes(map.name), error.message,
                                                   outside ? "; try later, or exclude it" : ""));
        return std::unexpected(std::move(error));
    }

    TransferLimits limits(std::uint64_t bytes, std::string remedy) const {
        TransferLimits result = downloads_.settings.limits;
        if (bytes < result.bytes) {
            result.bytes = bytes;
            result.remedy = std::move(remedy);
        }
        return result;
    }

    /// Always a new one: what a killed build has of it may be old.
    Built<std::vector<Map>> fetch_index() {
        auto file = PartialFile::open(build_directory_, index_name, index_name);
        if (!file) return std::unexpected(file.error());
        if (auto discarded = file->discard(); !discarded) return std::unexpected(discarded.error());
        const auto error = file->download(
            source_.url, limits(max_table_bytes, "no index of maps has that many; correct the URL"),
            downloads_);
        if (!error) return std::unexpected(error.error());
        if (!error->empty()) return source_failure(printable_line(*error));
        const auto index = file->read_only();
        if (!index) return std::unexpected(index.error());
        auto maps = read_index(index->get(), source_);
        if (!maps && maps.error().kind == BuildFailureKind::SourceUnavailable) {
            return source_failure(fmt::format("{}: {}{}", printable_line(source_.url),
                                              file->is_web_page() ? "the server sent a web page: " : "",
                                              maps.error().message));
        }
        return maps;
    }

    bool is_in_last(const store::TreeEntry& entry) const { return open_last(entry).has_value(); }

    /// Its file in the last artifact, if that has one of this size.
    std::optional<Fd> open_last(const store::TreeEntry& entry) const {
        if (last_artifact_ < 0) return std::nullopt;
        Fd file = store::open_beneath(last_artifact_, entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        struct stat status{};
        if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
            static_cast<std::uint64_t>(status.st_size) != entry.bytes)
            return std::nullopt;
        return file;
    }

    /// Before anything is fetched. Copies from the last artifact may share its blocks, so they do not count.
    Built<void> check_space(const std::vector<Map>& maps, const store::Tree& tree) const {
        std::uint64_t needed = 0;
        for (std::size_t i = tree.entries.size() - maps.size(); i < tree.entries.size(); ++i) {
            const store::TreeEntry& entry = tree.entries[i];
            if (!staging_.staged(entry) && !is_in_last(entry)) needed += entry.bytes;
        }
        struct statvfs space{};
        if (::fstatvfs(staging_.tree(), &space) != 0) return {};
        const std::uint64_t available = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
        if (needed <= available) return {};
        return own_failure(
            ENOSPC, fmt::format("the maps that are to be fetched have {} bytes, and the disk has {} free; "
                                "free some, or exclude maps",
                                needed, available));
    }

    Built<store::Content> stage(const Map& map, const store::TreeEntry& entry) {
        if (auto content = staging_.staged(entry)) return std::move(*content);
        auto reused = reuse(map, entry);
        if (!reused) return std::unexpected(reused.error());
        if (*reused) return std::move(**reused);
        return fetch(map, entry);
    }

    /// nullopt: the last artifact does not have it.
    Built<std::optional<store::Content>> reuse(const Map& map, const store::TreeEntry& entry) {
        const auto from = open_last(entry);
        if (!from) return std::nullopt;
        progress_.begin(BuildPhase::Copying, map.size, 0, downloads_.input);
        const auto into = open_unpacked();
        if (!into) return std::unexpected(into.error());
        auto content = store::copy_content(from->get(), into->get(), map.name,
                                           [this](std::uint64_t more) { progress_.bytes(more); });
        if (!content) return own_failure(errno, content.error());
        const auto md5 = md5_of(into->get(), map.name);
        if (!md5) return own_failure(errno, md5.error());
        if (*md5 != map.md5) return std::nullopt;
        if (auto kept = keep(entry, *content); !kept) return std::unexpected(kept.error());
        return std::move(*content);
    }

    Built<store::Content> fetch(const Map& map, const store::TreeEntry& entry) {
        auto archive = PartialFile::open(build_directory_, archive_name, map.md5);
        if (!archive) return std::unexpected(archive.error());
        ++fetched_;
        say(fmt::format("map {}, {} bytes when it is unpacked", map.name, map.size));
        // An archive may be a little larger than what is in it, if that is packed already.
        constexpr std::uint64_t allowance = 1U << 20U;
        const std::uint64_t most = std::min(source_.limits.bytes, 2 * map.size + allowance);
        for (bool again = false;; again = true) {
            const auto error = archive->download(
                map.url, limits(most, fmt::format("the index says that the map in it has {}", map.size)),
                downloads_);
            if (!error) return std::unexpected(error.error());
            if (!error->empty()) return source_failure(*error);
            auto content = unpack_map(map, *archive);
            if (content) {
                if (auto kept = keep(entry, *content); !kept) return std::unexpected(kept.error());
                if (auto discarded = archive->discard(); !discarded)
                    return std::unexpected(discarded.error());
                return std::move(*content);
            }
            (void)::unlinkat(directory_.get(), unpacked_name, 0);
            if (content.error().kind != BuildFailureKind::SourceUnavailable)
                return std::unexpected(content.error());
            // The parts may be of two files. What came in one is kept: the next build then asks only whether
            // the server has something else by now.
            if (archive->is_patched()) {
                if (auto discarded = archive->discard(); !discarded)
                    return std::unexpected(discarded.error());
                if (!again) continue;
            }
            return source_failure(fmt::format("{}: {}{}", map.url,
                                              archive->is_web_page() ? "the server sent a web page: " : "",
                                              content.error().message));
        }
    }

    /// Into `.build/download`. Its size and MD5 are then those of the index.
    Built<store::Content> unpack_map(const Map& map, const PartialFile& archive) {
        const auto from = archive.read_only();
        if (!from) return std::unexpected(from.error());
        const auto into = open_unpacked();
        if (!into) return std::unexpected(into.error());
        progress_.begin(BuildPhase::Unpacking, archive.bytes(), 0, downloads_.input);
        MapWriter writer(map, into->get());
        if (auto unpacked = unpack(from->get(), archive.bytes(), writer, progress_); !unpacked)
            return std::unexpected(unpacked.error());
        if (auto finished = writer.finish(); !finished) return std::unexpected(finished.error());
        const auto md5 = md5_of(into->get(), map.name);
        if (!md5) return own_failure(errno, md5.error());
        if (*md5 != map.md5)
            return source_failure(fmt::format("it has the MD5 {}, not {} as the index says", *md5, map.md5));
        auto content = store::hash_content(into->get(), map.name);
        if (!content) return own_failure(errno, content.error());
        return std::move(*content);
    }

    /// An empty file, for one map at a time.
    Built<Fd> open_unpacked() const {
        if (::unlinkat(directory_.get(), unpacked_name, 0) != 0 && errno != ENOENT) return own();
        Fd file(::openat(directory_.get(), unpacked_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         store::overlay_file_mode));
        if (!file) return own();
        return file;
    }

    /// What is unpacked becomes the map's file in the staging tree, and is not fetched again.
    Built<void> keep(const store::TreeEntry& entry, const store::Content& content) {
        if (::renameat(directory_.get(), unpacked_name, staging_.tree(), entry.path.c_str()) != 0)
            return own();
        return staging_.remember(entry, content);
    }

    static std::unexpected<BuildError> own() {
        const int error = errno;
        return own_failure(error, store::io_error("a map").error());
    }

    const MapIndexSource& source_;
    int build_directory_;
    int last_artifact_;
    Staging& staging_;
    Progress& progress_;
    Downloads downloads_;
    Fd directory_;  ///< `.build/download`
    std::size_t fetched_ = 0;
};

}  // namespace

Built<Staged> stage_map_index(const MapIndexSource& source, int build_directory, int last_artifact,
                              Staging& staging, Progress& progress, const DownloadSettings& settings) {
    return MapIndexBuild(source, build_directory, last_artifact, staging, progress, settings).run();
}

}  // namespace left4me::builder
