#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace left4me {

/// An entry of a tar file as POSIX ustar has it; whatever stands in it is written, also what no tar would
/// write.
struct TarEntry {
    std::string path;
    std::string content = {};
    char type = '0';  ///< 0 file, 1 hard link, 2 symlink, 3 and 4 devices, 5 directory, 6 FIFO
    std::string link = {};
    unsigned mode = 0644;
};

/// Paths and links of more than 100 bytes are written as GNU tar does.
std::string tar_of(const std::vector<TarEntry>& entries);

enum class Format { Zip, SevenZip, TarGzip, TarXz, TarZstd, TarBzip2 };

/// Made by libarchive. Files and symlinks only.
std::string archive_of(Format format, const std::vector<TarEntry>& entries);

/// `text` compressed with gzip.
std::string gzip_of(const std::string& text);

}  // namespace left4me
