#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/store/tree.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"

namespace left4me::builder {

/// A file of left4dead2/addons that a source fetches by itself: a map, a workshop item.
struct Addon {
    std::string name;        ///< a plain file name
    std::uint64_t size = 0;  ///< in bytes
    std::string identity;    ///< one line that tells this content from every other one, as far as is known
};

/// "left4dead2/addons/NAME": where it is staged.
std::string addon_path(const std::string& name);

/// What a kind of source does for one of its files.
struct AddonSource {
    /// What people call it.
    std::function<std::string(std::size_t index)> name;
    /// Whether a file of the right name and size, copied from the last artifact, is the one that is wanted.
    std::function<Built<bool>(std::size_t index, int file, const store::Content& content)> is_right;
    /// Fetches and verifies it, and returns its name in `.build/download`. Called in several threads if
    /// `at_once` is more than one.
    std::function<Built<std::string>(std::size_t index)> fetch;
    /// What was fetched is staged: whatever else was needed for it may go.
    std::function<Built<void>(std::size_t index)> staged;
    unsigned at_once = 1;        ///< how many are fetched at the same time
    std::stop_source stop = {};  ///< of the downloads
};

/// Stages left4dead2/addons from files that are fetched. Those that a killed build has staged are kept; those
/// that the overlay's last artifact has already are copied from it, with shared blocks
/// where the file system can.
class Addons {
  public:
    /// `files`: sorted by name, no name twice. `last_artifact`: an open directory, or -1.
    Addons(std::vector<Addon> files, int build_directory, int last_artifact, Staging& staging,
           Progress& progress, std::string input);

    /// An error within one file names it.
    Built<Staged> stage(const AddonSource& source);
    /// Of the files, once all are staged.
    const std::vector<store::Content>& contents() const { return contents_; }

  private:
    Built<void> prepare();
    Built<void> check_space() const;
    std::optional<Fd> open_last(const store::TreeEntry& entry) const;
    /// nullopt: it is to be fetched.
    Built<std::optional<store::Content>> stage_present(std::size_t index, const AddonSource& source);
    Built<store::Content> stage_fetched(std::size_t index, const AddonSource& source);
    Built<std::optional<store::Content>> reuse(std::size_t index, const AddonSource& source);
    Built<void> keep(std::size_t index, const std::string& name, const store::Content& content);
    const store::TreeEntry& entry(std::size_t index) const { return tree_.entries[directories + index]; }

    static constexpr std::size_t directories = 2;
    std::vector<Addon> files_;
    int build_directory_;
    int last_artifact_;
    Staging& staging_;
    Progress& progress_;
    std::string input_;
    store::Tree tree_;  ///< what is to be staged
    Fd downloads_;      ///< `.build/download`
    std::vector<store::Content> contents_;
    std::mutex mutex_;  ///< of the staging
};

}  // namespace left4me::builder
