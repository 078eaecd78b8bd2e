#include "builder/build.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <expected>
#include <optional>
#include <vector>

#include "adapters/store/build_files.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/regular_files.hpp"
#include "adapters/store/shared_files.hpp"
#include "builder/archive/archive.hpp"
#include "builder/check.hpp"
#include "builder/confinement.hpp"
#include "builder/directory/copy.hpp"
#include "builder/git/git.hpp"
#include "builder/map_index/map_index.hpp"
#include "builder/publishing.hpp"
#include "builder/script/script.hpp"
#include "builder/steam/steam.hpp"
#include "builder/workshop/workshop.hpp"
#include "reconciler/pinning.hpp"

namespace left4me::builder {

namespace {

/// `overlays/NAME` and its `.build`; nobody else builds in them meanwhile.
struct Workplace {
    Fd overlay;
    Fd directory;
};

std::expected<Workplace, std::string> open_workplace(const std::filesystem::path& overlays,
                                                     const std::string& name) {
    Workplace place;
    place.overlay = Fd(::open((overlays / name).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!place.overlay) return store::io_error((overlays / name).string());
    place.directory = store::open_directory(place.overlay.get(), store::build_directory);
    if (!place.directory) return store::io_error(store::build_directory);
    return place;
}

/// The only place that knows the kinds of sources. The unit has a network; a source that needs none gives it
/// up before anything of it is read. `last`: the overlay's last artifact, if there is one.
Built<Staged> stage(const OverlaySource& source, int build_directory, const Fd& last,
                    const DownloadSettings& downloads, Staging& staging, Progress& progress,
                    std::string& input) {
    return std::visit(
        Overloaded{
            [&](const DirectorySource& directory) -> Built<Staged> {
                if (auto confined = confine_build(Confinement::NoNetwork); !confined)
                    return std::unexpected(confined.error());
                return stage_directory(directory, staging, progress, input);
            },
            [](const InlineSource&) -> Built<Staged> {
                return source_failure("this source is not built by a unit");
            },
            [&](const ArchiveSource& archive) {
                input = fingerprint(archive);
                return stage_archive(archive, build_directory, staging, progress, downloads);
            },
            [&](const GitSource& git) {
                input = fingerprint(git);
                return stage_git(git, build_directory, staging, progress, downloads);
            },
            [&](const MapIndexSource& index) {
                input = fingerprint(index);
                return stage_map_index(index, build_directory, last.get(), staging, progress, downloads);
            },
            [&](const WorkshopSource& workshop) {
                input = fingerprint(workshop);
                return stage_workshop(workshop, build_directory, last.get(), staging, progress, downloads);
            },
            [&](const ScriptSource& script) -> Built<Staged> {
                input = fingerprint(script);
                if (auto confined = confine_build(Confinement::NoNetwork); !confined)
                    return std::unexpected(confined.error());
                return stage_script(script, build_directory, staging, progress);
            },
            [&](const SteamSource& steam) -> Built<Staged> {
                input = fingerprint(steam);
                // What has the network is steamcmd, in a unit of its own.
                if (auto confined = confine_build(Confinement::NoNetwork); !confined)
                    return std::unexpected(confined.error());
                return stage_steam(steam, build_directory, last.get(), staging, progress);
            },
        },
        source);
}

Built<BuiltArtifact> build_in(const Workplace& place, const std::optional<BuiltArtifact>& before,
                              Recording recording, const DownloadSettings& downloads, std::string& input,
                              Kind& kind) {
    const auto source = store::read_request(place.directory.get());
    if (!source) return source_failure(source.error());
    kind = kind_of(*source);
    const store::ExactModes exact;
    Progress progress(place.directory.get());
    auto staging = Staging::open(place.directory.get());
    if (!staging) return std::unexpected(staging.error());
    const Fd last = before ? store::open_directory(place.overlay.get(), before->digest) : Fd();
    auto staged = stage(*source, place.directory.get(), last, downloads, *staging, progress, input);
    if (!staged) return std::unexpected(staged.error());
    const std::vector<store::RegularFile> files = store::regular_files(staging->tree());
    const auto published = staging->publish(place.overlay.get(), staged->digest);
    if (!published) return std::unexpected(published.error());
    if (auto told = tell_built(place.overlay.get(), *staged, *published, files); !told)
        return own_failure(errno, told.error());
    if (*published && recording == Recording::AtEnd) {
        if (auto named = store::replace_symlink(place.directory.get(), store::fresh_name, staged->digest);
            !named)
            return own_failure(errno, named.error());
    }
    BuiltArtifact artifact{staged->digest, staged->input, staged->revision};
    if (staged->pin) {
        artifact.pinned = pinned_inputs(*source, *staged->pin);
        if (auto kept = store::write_built_pin(place.directory.get(), *staged->pin); !kept)
            return own_failure(errno, kept.error());
    }
    (void)std::fprintf(stderr, "%s %s\n", *published ? "built" : "nothing new: the content is that of",
                       staged->digest.c_str());
    return artifact;
}

TimePoint now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

BuildFailure failure_after(const BuildRecord& before, const BuildError& error, const std::string& input) {
    BuildFailure failure{error.kind, error.message, 1, now(), input};
    // A different input is a different build, unless the failure is that it keeps changing.
    const bool same = before.failure && (before.failure->input == input ||
                                         (error.kind == BuildFailureKind::SourceChanged &&
                                          before.failure->kind == BuildFailureKind::SourceChanged));
    if (same) failure.failures = before.failure->failures + 1;
    return failure;
}

int fail(const char* name, const std::string& message) {
    (void)std::fprintf(stderr, "%s: %s\n", name, message.c_str());
    return 1;
}

}  // namespace

int build(const std::filesystem::path& overlays, const std::string& name, const std::string& invocation,
          Recording recording, const DownloadSettings& downloads) {
    const auto place = open_workplace(overlays, name);
    if (!place) return fail(name.c_str(), place.error());
    if (::flock(place->directory.get(), LOCK_EX | LOCK_NB) != 0)
        return fail(name.c_str(), "another build of this overlay is under way");
    // Of a build that a power cut ended before it was recorded.
    (void)store::take_result(place->directory.get());
    // A build that was asked for meanwhile is begun again by whoever did: this process may have given up the
    // network.
    if (answer_check(place->directory.get(), downloads)) return 0;
    BuildRecord record = store::read_record(place->directory.get());
    const auto begun = std::chrono::steady_clock::now();
    std::string input;
    const auto built = build_in(*place, record.artifact, recording, downloads, input, record.kind);
    record.invocation = invocation;
    record.ended = now();
    record.took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    if (built) {
        record.artifact = *built;
        record.failure.reset();
    } else {
        // Free the disk space while others need it.
        if (built.error().kind == BuildFailureKind::NoSpace) (void)Staging::discard(place->directory.get());
        record.failure = failure_after(record, built.error(), input);
    }
    const auto written = recording == Recording::Now ? store::write_record(place->directory.get(), record)
                                                     : store::write_result(place->directory.get(), record);
    if (!built) return fail(name.c_str(), built.error().message);
    if (!written) return fail(name.c_str(), written.error());
    return 0;
}

int record_end(const std::filesystem::path& overlays, const std::string& name, const ServiceResult& ended) {
    const auto place = open_workplace(overlays, name);
    if (!place) return fail(name.c_str(), place.error());
    const auto progress = store::read_progress(place->directory.get());
    store::remove_progress(place->directory.get());
    const auto result = store::take_result(place->directory.get());
    if (end_killed_check(place->directory.get())) return 0;
    if (result) {
        const auto written = store::write_record(place->directory.get(), *result);
        return written ? 0 : fail(name.c_str(), written.error());
    }
    BuildRecord record = store::read_record(place->directory.get());
    if (const auto source = store::read_request(place->directory.get())) record.kind = kind_of(*source);
    // "success": it has ended by itself, or was stopped by SIGTERM, which is no failure; nor is it one if it
    // did not stop in time when it was canceled.
    if (record.invocation == ended.invocation || ended.result == "success") return 0;
    if (!store::read_canceled(place->directory.get()).empty()) return 0;
    BuildError error{BuildFailureKind::Killed,
                     fmt::format("the build ended with {} {}", ended.result, ended.status)};
    if (ended.result == "oom-kill")
        error = {BuildFailureKind::OutOfMemory, "the build needed more than its MemoryMax="};
    if (ended.result == "timeout")
        error = {BuildFailureKind::TimedOut, "the build took longer than its RuntimeMaxSec="};
    record.failure = failure_after(record, error, progress ? progress->input : "");
    record.invocation = ended.invocation;
    record.ended = now();
    record.took = {};
    const auto written = store::write_record(place->directory.get(), record);
    return written ? 0 : fail(name.c_str(), written.error());
}

}  // namespace left4me::builder
