#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "adapters/fd.hpp"
#include "specs/manifest.hpp"

namespace left4me::store {

/// Opens a source's directory beneath its declared root, following no symlink and entering no mount point.
/// Errors name the component and the remedy.
std::expected<Fd, std::string> open_source(const DirectorySource& source);

/// The same for one file: a regular one, on the root's mount. Both paths are absolute and normalised, and
/// `path` is beneath `root`.
std::expected<Fd, std::string> open_source_file(const std::string& path, const std::string& root);

/// The mount that an open file is on, STATX_MNT_ID of statx(2): a bind mount of the same file system has a
/// different id, while st_dev is the same. An error with errno if the kernel does not provide it (before
/// Linux 5.8).
std::expected<std::uint64_t, std::string> mount_of(int fd, const std::string& shown);
/// Whether an open file is a regular one, on that mount.
bool is_file_on(int fd, std::uint64_t mount);

}  // namespace left4me::store
