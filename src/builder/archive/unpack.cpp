#include "builder/archive/unpack.hpp"

#include <unistd.h>

#include <cerrno>

#include "adapters/store/files.hpp"
#include "builder/archive/read_archive.hpp"

namespace left4me::builder {

Built<void> unpack(int archive, std::uint64_t archive_bytes, EntryWriter& writer, Progress& progress,
                   const RatioLimit& limit) {
    if (::lseek(archive, 0, SEEK_SET) != 0) return own_failure(errno, store::io_error("the archive").error());
    const ConfinedReading reading{
        .files = {archive}, .read = [](int pipe) { read_archive(0, pipe); }, .what = "the archive"};
    const auto read = read_entries(reading, archive_bytes, writer, progress, limit);
    if (!read) return std::unexpected(read.error());
    return {};
}

}  // namespace left4me::builder
