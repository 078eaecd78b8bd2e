#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "adapters/store/files.hpp"

namespace left4me::store {

/// What one regular file holds.
struct Content {
    /// SHA-256 of all bytes. `sparse`: of all but whole blocks of zeros, followed by where those are. A hole
    /// and zeros on disk give the same digest, so that copies with other holes are equal.
    std::string digest;
    bool sparse = false;
};

/// Told how many bytes of data are done since it was last told; holes do not count.
using OnBytes = std::function<void(std::uint64_t)>;

/// Hashes an open regular file. Holes cost no time.
std::expected<Content, std::string> hash_content(int file, const std::string& shown);

/// The same, and makes the empty file `into` (open for reading and writing) a copy: with shared blocks where
/// the file system can, else with holes where there are only zeros. The digest is that of the copy, whatever
/// becomes of the source meanwhile. `errno` is the cause of an error.
std::expected<Content, std::string> copy_content(int from, int into, const std::string& shown,
                                                 const OnBytes& on_bytes);

}  // namespace left4me::store
