#pragma once

#include <cstdint>

namespace left4me::share {

enum class SharedBlocks { Yes, Differs, Unsupported };

/// Two whole files, as far as `into` has data: the kernel compares and shares in one step.
/// See ioctl_fideduperange(2).
SharedBlocks share_blocks(int from, int into, std::uint64_t size);

/// Whether they have the same extents already. Where a source is on the same file system, unchanged files
/// share their blocks as soon as they are copied: to compare them would be to read them twice more.
bool have_same_blocks(int one, int other, std::uint64_t size);

}  // namespace left4me::share
