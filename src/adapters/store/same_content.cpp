#include "adapters/store/same_content.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "adapters/store/files.hpp"

namespace left4me::store {

std::uint64_t next_data(int file, std::uint64_t at, std::uint64_t size) {
    const off_t found = ::lseek(file, static_cast<off_t>(at), SEEK_DATA);
    if (found >= 0) return std::min(static_cast<std::uint64_t>(found), size);
    return errno == ENXIO ? size : at;
}

bool have_same_content(int one, int other) {
    struct stat status{};
    struct stat other_status{};
    if (::fstat(one, &status) != 0 || ::fstat(other, &other_status) != 0) return false;
    if (status.st_size != other_status.st_size) return false;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    std::string buffer(std::min<std::uint64_t>(size, 1U << 20U), '\0');
    std::string other_buffer = buffer;
    for (std::uint64_t at = 0; at < size;) {
        const std::uint64_t data = std::min(next_data(one, at, size), next_data(other, at, size));
        if (data > at) {
            at = data;
            continue;
        }
        const auto block = read_at(one, buffer, at, "");
        const auto other_block = read_at(other, other_buffer, at, "");
        if (!block || !other_block || block->empty() || *block != *other_block) return false;
        at += block->size();
    }
    return true;
}

}  // namespace left4me::store
