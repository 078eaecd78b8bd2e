#include "privileged/share/blocks.hpp"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

namespace left4me::share {

namespace {

/// In one call; also what btrfs of Linux before 4.18 allows.
constexpr std::uint64_t dedupe_bytes = 16U << 20U;

/// The extents of a file from `at` on, as many as fit into one answer. See fiemap.rst of the kernel.
std::vector<fiemap_extent> extents_of(int file, std::uint64_t at) {
    constexpr std::size_t most = 64;
    alignas(fiemap) std::array<char, sizeof(fiemap) + most * sizeof(fiemap_extent)> buffer{};
    auto* const map = new (buffer.data()) fiemap{};
    map->fm_start = at;
    map->fm_length = FIEMAP_MAX_OFFSET - at;
    map->fm_extent_count = most;
    if (::ioctl(file, FS_IOC_FIEMAP, map) != 0) return {};
    std::vector<fiemap_extent> extents(map->fm_mapped_extents);
    std::memcpy(extents.data(), buffer.data() + sizeof(fiemap), extents.size() * sizeof(fiemap_extent));
    return extents;
}

}  // namespace

SharedBlocks share_blocks(int from, int into, std::uint64_t size) {
    alignas(file_dedupe_range) std::array<char, sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)>
        buffer{};
    auto* const request = new (buffer.data()) file_dedupe_range{};
    auto* const answer = new (buffer.data() + sizeof(file_dedupe_range)) file_dedupe_range_info{};
    for (std::uint64_t at = 0; at < size;) {
        const off_t data = ::lseek(into, static_cast<off_t>(at), SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;
        if (data >= 0) at = static_cast<std::uint64_t>(data);
        *request = {};
        request->src_offset = at;
        request->src_length = std::min(size - at, dedupe_bytes);
        request->dest_count = 1;
        *answer = {};
        answer->dest_fd = into;
        answer->dest_offset = at;
        if (::ioctl(from, FIDEDUPERANGE, request) != 0) return SharedBlocks::Unsupported;
        if (answer->status == FILE_DEDUPE_RANGE_DIFFERS) return SharedBlocks::Differs;
        if (answer->status != FILE_DEDUPE_RANGE_SAME || answer->bytes_deduped == 0)
            return SharedBlocks::Unsupported;
        at += answer->bytes_deduped;
    }
    return SharedBlocks::Yes;
}

bool have_same_blocks(int one, int other, std::uint64_t size) {
    constexpr std::uint32_t unclear =
        FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED;
    const auto same = [](const fiemap_extent& a, const fiemap_extent& b) {
        return a.fe_logical == b.fe_logical && a.fe_physical == b.fe_physical && a.fe_length == b.fe_length &&
               (a.fe_flags & unclear) == 0 && (b.fe_flags & unclear) == 0;
    };
    for (std::uint64_t at = 0; at < size;) {
        const std::vector<fiemap_extent> extents = extents_of(one, at);
        const std::vector<fiemap_extent> others = extents_of(other, at);
        if (extents.empty() ||
            !std::equal(extents.begin(), extents.end(), others.begin(), others.end(), same))
            return false;
        if ((extents.back().fe_flags & FIEMAP_EXTENT_LAST) != 0) return true;
        at = extents.back().fe_logical + extents.back().fe_length;
    }
    return true;
}

}  // namespace left4me::share
