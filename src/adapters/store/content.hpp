#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "adapters/store/files.hpp"

namespace left4me::store {

/// The content of one regular file.
struct Content {
    /// SHA-256 of all bytes. If `sparse`: of all except whole blocks of zeros, followed by the positions of
    /// those. Holes and zeros on disk give the same digest, so copies with different holes are equal.
    std::string digest;
    bool sparse = false;
};

/// Receives the number of bytes of data processed since the last call; holes do not count.
using OnBytes = std::function<void(std::uint64_t)>;

/// Hashes an open regular file. Holes cost no time.
std::expected<Content, std::string> hash_content(int file, const std::string& shown);

/// Like hash_content(), and makes the empty file `into` (open for reading and writing) a copy: with shared
/// blocks if the file system supports it, else with holes for zeros. The digest is that of the copy, even if
/// the source changes meanwhile. `errno` is the cause of an error.
std::expected<Content, std::string> copy_content(int from, int into, const std::string& shown,
                                                 const OnBytes& on_bytes);

}  // namespace left4me::store
