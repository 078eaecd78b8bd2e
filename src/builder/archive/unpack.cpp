#include "builder/archive/unpack.hpp"

#include <unistd.h>

#include <cerrno>

#include "adapters/store/files.hpp"
#include "builder/archive/read_archive.hpp"

namespace left4me::builder {

Built<void> unpack(int archive, std::uint64_t archive_bytes, TreeWriter& writer, Progress& progress,
                   const RatioLimit& limit) {
    if (::lseek(archive, 0, SEEK_SET) != 0) return own_failure(errno, store::io_error("the archive").error());
    const ConfinedReading reading{.files = {archive},
                                  .read = [](int pipe) { read_archive(0, pipe); },
                                  .bytes = archive_bytes,
                                  .what = "the archive",
                                  .less_memory = "pack it with a smaller dictionary"};
    const auto read = read_confined(reading, writer, progress, limit);
    if (!read) return std::unexpected(read.error());
    return {};
}

}  // namespace left4me::builder
