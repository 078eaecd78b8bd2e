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

    /// The generation that these files were when they looked like this.
    std::optional<std::string> find(const std::string& key, const Looks& looks);
    /// Not if they changed a moment ago: file times are coarse, and one more change might not show.
    void remember(const std::string& key, const Looks& looks, const std::string& generation);

    /// Writes what was learnt and forgets what was not asked for since the last call. A file that cannot be
    /// written is no error.
    void save();

  private:
    struct Entry {
        std::string fingerprint;
        std::string generation;
        bool used = false;
    };

    void load();

    std::filesystem::path file_;
    std::map<std::string, Entry> entries_;  ///< by the path of a rendering
    bool loaded_ = false;
    bool changed_ = false;
};

}  // namespace left4me::store
