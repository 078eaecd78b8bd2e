#include "builder/archive/archive.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "adapters/store/files.hpp"
#include "builder/archive/unpack.hpp"
#include "builder/confinement.hpp"
#include "builder/tree_writer.hpp"

namespace left4me::builder {

Built<Staged> stage_archive(const ArchiveSource& source, int build_directory, Staging& staging,
                            Progress& progress, const DownloadSettings& settings) {
    const std::string input = fingerprint(source);
    const auto archive = fetch_archive(source, build_directory, progress, settings);
    if (!archive) return std::unexpected(archive.error());
    if (auto confined = confine_build(Confinement::NoNetwork); !confined)
        return std::unexpected(confined.error());
    struct stat status{};
    if (::fstat(archive->get(), &status) != 0)
        return own_failure(errno, store::io_error("the archive").error());
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    (void)std::fprintf(stderr, "its SHA-256 is right; unpacking\n");

    if (auto restarted = staging.restart(); !restarted) return std::unexpected(restarted.error());
    progress.begin(BuildPhase::Unpacking, bytes, 0, input);
    TreeWriter writer(staging.tree(), {source.into, source.strip_components, source.exclude}, source.limits);
    const auto in_archive = [&source](BuildError error) {
        if (error.kind == BuildFailureKind::SourceUnavailable)
            error.message = fmt::format("{}: {}", source.locations.front().url, error.message);
        return std::unexpected(std::move(error));
    };
    if (auto unpacked = unpack(archive->get(), bytes, writer, progress); !unpacked)
        return in_archive(unpacked.error());
    const auto tree = store::scan_tree(staging.tree(), source.limits);
    if (!tree) return in_archive({BuildFailureKind::SourceUnavailable, tree.error()});
    if (writer.files() == 0) {
        return in_archive(
            {BuildFailureKind::SourceUnavailable, "no file is left of it; see stripComponents and exclude"});
    }
    const auto digest = store::digest_tree(staging.tree(), *tree);
    if (!digest) return own_failure(errno, digest.error());
    (void)std::fprintf(stderr, "%s files, %s bytes\n", std::to_string(writer.files()).c_str(),
                       std::to_string(writer.bytes()).c_str());
    return Staged{*digest, input};
}

}  // namespace left4me::builder
