#include "adapters/store/content.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "adapters/store/same_content.hpp"
#include "reconciler/digest.hpp"

namespace left4me::store {

namespace {

/// Part of the definition of digests: another size would change the digests of sparse files.
constexpr std::uint64_t block_bytes = 1U << 20U;

bool is_zero(std::string_view block) {
    return block.front() == '\0' && std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
}

/// Hashes blocks as they arrive.
class ContentDigest {
  public:
    void data(std::string_view bytes) { digest_.add(bytes); }

    void zeros(std::uint64_t first_block, std::uint64_t blocks) {
        if (!runs_.empty() && runs_.back().first + runs_.back().count == first_block) {
            runs_.back().count += blocks;
        } else {
            runs_.push_back({first_block, blocks});
        }
    }

    Content finish(std::uint64_t size) {
        // The list of holes is at the end, followed by its length, so that it cannot be confused with data.
        for (const Run& run : runs_) digest_.number(run.first).number(run.count);
        if (!runs_.empty()) digest_.number(runs_.size()).number(size);
        const auto bytes = digest_.finish();
        return {{bytes.begin(), bytes.end()}, !runs_.empty()};
    }

  private:
    struct Run {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
    };

    Digest digest_;
    std::vector<Run> runs_;
};

/// Reads a file once. `into` is -1, or receives every block that is not all zeros.
std::expected<Content, std::string> go_through(int from, int into, const std::string& shown,
                                               const OnBytes& on_bytes) {
    struct stat status{};
    if (::fstat(from, &status) != 0) return io_error(shown);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    ContentDigest digest;
    std::uint64_t written = 0;
    std::string buffer(std::min(size, block_bytes), '\0');
    for (std::uint64_t at = 0; at < size;) {
        // Less than a block at the end cannot be a hole.
        const std::uint64_t hole =
            size - at < block_bytes ? 0 : (next_data(from, at, size) - at) / block_bytes;
        if (hole > 0) {
            digest.zeros(at / block_bytes, hole);
            at += hole * block_bytes;
            continue;
        }
        const auto block = read_at(from, buffer, at, shown);
        if (!block) return std::unexpected(block.error());
        if (block->empty()) break;  // it was truncated meanwhile
        if (block->size() == block_bytes && is_zero(*block)) {
            digest.zeros(at / block_bytes, 1);
        } else {
            digest.data(*block);
            if (into >= 0) {
                if (auto wrote = write_at(into, *block, at, shown); !wrote)
                    return std::unexpected(wrote.error());
                written = at + block->size();
            }
        }
        at += block->size();
        on_bytes(block->size());
        if (block->size() < buffer.size() && at < size) break;
    }
    // It ends with a hole, or its size has changed since.
    if (into >= 0 && written != size && ::ftruncate(into, status.st_size) != 0) return io_error(shown);
    return digest.finish(size);
}

}  // namespace

std::expected<Content, std::string> hash_content(int file, const std::string& shown) {
    return go_through(file, -1, shown, [](std::uint64_t) {});
}

std::expected<Content, std::string> copy_content(int from, int into, const std::string& shown,
                                                 const OnBytes& on_bytes) {
    // FICLONE of ioctl_ficlonerange(2): all or nothing, and only within one file system.
    if (::ioctl(into, FICLONE, from) == 0) return go_through(into, -1, shown, on_bytes);
    return go_through(from, into, shown, on_bytes);
}

}  // namespace left4me::store
