#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "adapters/store/metadata.hpp"
#include "specs/manifest.hpp"

namespace left4me::store {

/// Remembers which generation a directory's content gave, by the metadata of all its files: an unchanged
/// source is never read twice, not even by the next process. Losing it costs time only.
class DigestCache {
  public:
    explicit DigestCache(std::filesystem::path file) : file_(std::move(file)) {}

    /// The generation that the source asks for now, or why that cannot be told.
    std::expected<std::string, std::string> generation_of(const OverlaySource& source);

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

    std::expected<std::string, std::string> of_directory(const DirectorySource& source);
    void load();

    std::filesystem::path file_;
    std::map<std::string, Entry> entries_;  ///< by the path of a source or a rendering
    bool loaded_ = false;
    bool changed_ = false;
};

}  // namespace left4me::store
