#include "builder/map_index/map_index.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/store/copy.hpp"
#include "adapters/store/files.hpp"
#include "builder/addons.hpp"
#include "builder/archive/unpack.hpp"
#include "builder/map_index/map_writer.hpp"
#include "builder/map_index/md5.hpp"
#include "builder/map_index/parse_table.hpp"
#include "builder/map_index/read_index.hpp"
#include "builder/say.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

// In `.build/download`.
constexpr const char* index_name = "index";
constexpr const char* archive_name = "map";
constexpr const char* unpacked_name = "map.vpk";

class MapIndexBuild {
  public:
    MapIndexBuild(const MapIndexSource& source, int build_directory, Progress& progress,
                  const DownloadSettings& settings)
        : source_(source),
          build_directory_(build_directory),
          progress_(progress),
          downloads_{settings, parse_networks(source.private_networks), progress, fingerprint(source)} {}

    Built<Staged> run(int last_artifact, Staging& staging) {
        auto directory = store::make_directory(build_directory_, Staging::download_name, 0750);
        if (!directory) return own_failure(errno, directory.error());
        directory_ = std::move(*directory);
        auto maps = fetch_index();
        if (!maps) return std::unexpected(maps.error());
        if (auto pinned = keep_pinned(*maps); !pinned) return std::unexpected(pinned.error());
        std::vector<Addon> files;
        for (const Map& map : *maps) {
            if (std::count(map.name.begin(), map.name.end(), '.') > 1)
                say(printable_line(map.name) +
                    ": the game on Linux is said to ignore VPKs with two dots in their names");
            files.push_back({map.name, map.size, map.md5});
        }
        Addons addons(std::move(files), build_directory_, last_artifact, staging, progress_,
                      downloads_.input);
        auto staged =
            addons.stage({.name = [&](std::size_t i) { return "map " + in_quotes((*maps)[i].name); },
                          .is_right = [&](std::size_t i, int file,
                                          const store::Content&) { return has_md5((*maps)[i], file); },
                          .fetch = [&](std::size_t i) { return fetch((*maps)[i]); },
                          .staged = [&](std::size_t) { return forget_archive(); },
                          // Unpacking several at the same time would need the memory for several.
                          .at_once = 1,
                          .stop = downloads_.stop});
        if (staged) staged->pin = pin_of(*maps);
        return staged;
    }

    Built<MapIndexPin> look_up() {
        const auto maps = fetch_index();
        if (!maps) return std::unexpected(maps.error());
        return pin_of(*maps);
    }

  private:
    static MapIndexPin pin_of(const std::vector<Map>& maps) {
        MapIndexPin pin;
        for (const Map& map : maps) pin.maps[map.name] = {map.size, map.md5};
        return pin;
    }

    /// Leaves exactly the pinned maps, which must all be there. Where they are downloaded from may change.
    Built<void> keep_pinned(std::vector<Map>& maps) const {
        if (!source_.pin) return {};
        std::map<std::string, MapPin> missing = source_.pin->maps;
        std::string changed;
        std::erase_if(maps, [&](const Map& map) {
            const auto pinned = missing.find(map.name);
            if (pinned == missing.end()) return true;
            if (pinned->second == MapPin{map.size, map.md5}) {
                missing.erase(pinned);
                return false;
            }
            if (changed.empty())
                changed = fmt::format("{} has {} bytes and the MD5 {}, not {} and {}", in_quotes(map.name),
                                      map.size, map.md5, pinned->second.size, pinned->second.md5);
            return true;
        });
        if (missing.empty()) return {};
        if (changed.empty())
            changed = fmt::format("{} is not in the index any more", in_quotes(missing.begin()->first));
        return not_as_pinned(
            printable_line(fmt::format("{}: {} of {} maps are not what left4me.lock pins: {}", source_.url,
                                       missing.size(), source_.pin->maps.size(), changed)));
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

    static Built<bool> has_md5(const Map& map, int file) {
        const auto md5 = md5_of(file, map.name);
        if (!md5) return own_failure(errno, md5.error());
        return *md5 == map.md5;
    }

    /// Returns the name of its file in `.build/download`.
    Built<std::string> fetch(const Map& map) {
        auto archive = PartialFile::open(build_directory_, archive_name, map.md5);
        if (!archive) return std::unexpected(archive.error());
        say(fmt::format("map {}, {} bytes when it is unpacked", printable_line(map.name), map.size));
        // An archive may be a little larger than what is in it, if that is packed already.
        constexpr std::uint64_t allowance = 1U << 20U;
        const std::uint64_t most = std::min(source_.limits.bytes, 2 * map.size + allowance);
        const auto fetched = archive->fetch(
            map.url, limits(most, fmt::format("the index says that the map in it has {}", map.size)),
            downloads_, [&] { return unpack_map(map, *archive); });
        if (fetched) return unpacked_name;
        (void)::unlinkat(directory_.get(), unpacked_name, 0);
        BuildError error = fetched.error();
        if (error.kind == BuildFailureKind::SourceUnavailable) error.message += "; try later, or exclude it";
        return std::unexpected(std::move(error));
    }

    /// Its size and MD5 are then those of the index.
    Built<void> unpack_map(const Map& map, const PartialFile& archive) {
        const auto from = archive.read_only();
        if (!from) return std::unexpected(from.error());
        if (::unlinkat(directory_.get(), unpacked_name, 0) != 0 && errno != ENOENT) return own();
        const Fd into(::openat(directory_.get(), unpacked_name,
                               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, store::overlay_file_mode));
        if (!into) return own();
        progress_.begin(BuildPhase::Unpacking, archive.bytes(), 0, downloads_.input);
        MapWriter writer(map, into.get());
        if (auto unpacked = unpack(from->get(), archive.bytes(), writer, progress_); !unpacked)
            return unpacked;
        if (auto finished = writer.finish(); !finished) return finished;
        const auto md5 = md5_of(into.get(), map.name);
        if (!md5) return own_failure(errno, md5.error());
        if (*md5 != map.md5)
            return source_failure(fmt::format("it has the MD5 {}, not {} as the index says", *md5, map.md5));
        return {};
    }

    /// Frees the disk space for the next map.
    Built<void> forget_archive() {
        auto archive = PartialFile::open(build_directory_, archive_name, archive_name);
        if (!archive) return std::unexpected(archive.error());
        return archive->discard();
    }

    static std::unexpected<BuildError> own() {
        const int error = errno;
        return own_failure(error, store::io_error(unpacked_name).error());
    }

    const MapIndexSource& source_;
    int build_directory_;
    Progress& progress_;
    Downloads downloads_;
    Fd directory_;  ///< `.build/download`
};

}  // namespace

Built<Staged> stage_map_index(const MapIndexSource& source, int build_directory, int last_artifact,
                              Staging& staging, Progress& progress, const DownloadSettings& settings) {
    return MapIndexBuild(source, build_directory, progress, settings).run(last_artifact, staging);
}

Built<MapIndexPin> look_up_map_index(const MapIndexSource& source, int build_directory, Progress& progress,
                                     const DownloadSettings& settings) {
    return MapIndexBuild(source, build_directory, progress, settings).look_up();
}

}  // namespace left4me::builder
