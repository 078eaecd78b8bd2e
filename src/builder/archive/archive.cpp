#include "builder/archive/archive.hpp"

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
    const std::string& url = source.locations.front().url;
    if (auto unpacked = unpack(archive->get(), bytes, writer, progress); !unpacked)
        return error_in(url, unpacked.error());
    const auto digest = writer.finish("no file is left of it; see stripComponents and exclude");
    if (!digest) return error_in(url, digest.error());
    return Staged{*digest, input};
}

}  // namespace left4me::builder
