#pragma once

#include <cstdint>

#include "adapters/fd.hpp"

namespace left4me::builder {

/// What the files of a tree take, and how much of it is stored once with earlier artifacts.
struct Sharing {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;  ///< of data; holes do not count
    std::uint64_t shared_files = 0;
    std::uint64_t shared_bytes = 0;
};

/// Lets files of a staged tree share their storage with equal files of the overlay's artifacts, in which
/// nobody writes: the file system shares the blocks if it can (ioctl_fideduperange(2)), else both become one
/// file with two names. Contents are compared byte by byte first, so no file of either ever changes; each is
/// replaced by one rename, and what was done is found again when the build was killed.
/// Nothing that goes wrong here fails a build: the file keeps its own copy.
/// `overlay`: `overlays/NAME`; `build_directory`: its `.build`, for a name on the way.
Sharing share_files(int tree, int overlay, int build_directory);

/// The same without any sharing.
Sharing measure_files(int tree);

/// The name on the way; a killed build may leave it.
inline constexpr const char* shared_name = "shared";

}  // namespace left4me::builder
