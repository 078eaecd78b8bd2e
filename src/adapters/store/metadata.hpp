#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/store/digest.hpp"

namespace left4me::store {

/// How some files look from outside: changes whenever anything about them does, and costs stats alone.
struct Looks {
    std::string fingerprint;
    std::int64_t newest_change = 0;  ///< the newest change time among them, nanoseconds since the epoch
};

/// Gathers Looks. The change time cannot be set by anybody, so that an edit that puts the modification time
/// back is seen too.
class Metadata {
  public:
    void note(std::string_view path, const struct stat& status) {
        digest_.field(path)
            .number(status.st_mode)
            .number(status.st_dev)
            .number(status.st_ino)
            .number(static_cast<std::uint64_t>(status.st_size))
            .number(static_cast<std::uint64_t>(nanoseconds(status.st_mtim)))
            .number(static_cast<std::uint64_t>(nanoseconds(status.st_ctim)));
        newest_change_ = std::max(newest_change_, nanoseconds(status.st_ctim));
    }

    Looks finish() { return {digest_.generation(), newest_change_}; }

  private:
    static std::int64_t nanoseconds(const timespec& time) {
        return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
    }

    Digest digest_;
    std::int64_t newest_change_ = 0;
};

}  // namespace left4me::store
