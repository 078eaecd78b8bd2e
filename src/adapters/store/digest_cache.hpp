#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "adapters/store/metadata.hpp"
#include "specs/manifest.hpp"

namespace left4me::store {

/// Remembers which generation a directory's content gave, by the metadata of all its files: an unchanged
/// source is never read twice, not even by the next process. Losing it costs time only. For several threads.
class DigestCache {
  public:
    explicit DigestCache(std::filesystem::path file) : file_(std::move(file)) {}

    /// The generation that the source asks for now, or why that cannot be told. Takes as long as it takes to
    /// read all of it, if it has changed.
    std::expected<std::string, std::string> generation_of(const DirectorySource& source,
                                                          const std::stop_token& stop = {});

    /// Not forgotten by the next save(), though nobody asked for it.
    void keep(const std::string& key);

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
    std::mutex mutex_;                      ///< guards what follows, and the file
    std::map<std::string, Entry> entries_;  ///< by the path of a source or a rendering
    bool loaded_ = false;
    bool changed_ = false;
};

}  // namespace left4me::store
