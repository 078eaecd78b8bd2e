#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "reconciler/digest.hpp"

namespace left4me::store {

/// A fingerprint of files' metadata: changes whenever the files change, and costs only stats.
struct StatFingerprint {
    std::string fingerprint;
    std::int64_t newest_change = 0;  ///< the newest change time among them, nanoseconds since the epoch
};

/// Gathers Looks. The change time cannot be set by anybody, so that an edit that puts the modification time
/// back is seen too. The number of the device is left out: many file systems have another one after a reboot.
class Metadata {
  public:
    void note(std::string_view path, const struct stat& status) {
        number(path.size());
        bytes_ += path;
        number(status.st_mode);
        number(status.st_ino);
        number(static_cast<std::uint64_t>(status.st_size));
        number(static_cast<std::uint64_t>(nanoseconds(status.st_mtim)));
        number(static_cast<std::uint64_t>(nanoseconds(status.st_ctim)));
        newest_change_ = std::max(newest_change_, nanoseconds(status.st_ctim));
        constexpr std::size_t plenty = 1U << 16U;
        if (bytes_.size() >= plenty) hash();
    }

    StatFingerprint finish() {
        hash();
        return {digest_.hex(), newest_change_};
    }

  private:
    static std::int64_t nanoseconds(const timespec& time) {
        return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
    }

    /// In native byte order: nobody else reads it.
    void number(std::uint64_t value) {
        std::array<char, sizeof(value)> bytes{};
        std::memcpy(bytes.data(), &value, sizeof(value));
        bytes_.append(bytes.data(), bytes.size());
    }

    void hash() {
        digest_.add(bytes_);
        bytes_.clear();
    }

    Digest digest_;
    std::string bytes_;  ///< pending input: many small numbers are hashed in one call
    std::int64_t newest_change_ = 0;
};

}  // namespace left4me::store
