#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "adapters/store/metadata.hpp"

namespace left4me::store {

/// Remembers which rendering some files are, by their metadata: an unchanged one is never read twice, not
/// even by the next process. Losing it costs time only.
class DigestCache {
  public:
    explicit DigestCache(std::filesystem::path file) : file_(std::move(file)) {}

    /// The digest that these files had when their metadata was the same.
    std::optional<std::string> find(const std::string& key, const StatFingerprint& stats);
    /// Ignored if they changed a moment ago: file times are coarse, and another change might not show.
    void remember(const std::string& key, const StatFingerprint& stats, const std::string& digest);

    /// Writes new entries and forgets those that were not used since the last call. A write error is ignored.
    void save();

  private:
    struct Entry {
        std::string fingerprint;
        std::string digest;
        bool used = false;
    };

    void load();

    std::filesystem::path file_;
    std::map<std::string, Entry> entries_;  ///< by the path of a rendering
    bool loaded_ = false;
    bool changed_ = false;
};

}  // namespace left4me::store
