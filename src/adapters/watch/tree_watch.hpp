#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/readiness.hpp"

namespace left4me {

/// Reports that something beneath a few directories may have changed; the reader finds out what. inotify(7)
/// watches directories, not files: editors and `mv` replace files, and a watch on a file would stay with the
/// old one. The parent of each root is watched as well, so that a root that is a symlink, does not exist yet,
/// is removed or is mounted over is noticed.
class TreeWatch {
  public:
    explicit TreeWatch(std::vector<std::filesystem::path> roots);
    TreeWatch(const TreeWatch&) = delete;
    TreeWatch& operator=(const TreeWatch&) = delete;

    /// When drain() should be called; -1 while nothing can be watched.
    Readiness readiness() const {
        return {.fd = inotify_.get(), .events = POLLIN, .timeout = {}, .instance = instance_};
    }

    /// Reads pending events; never blocks. True: something may have changed. New directories are watched from
    /// now on.
    bool drain();

    /// Why some directories are not watched (the kernel's limit of watches is reached); empty: all are. If it
    /// is not empty, the caller must poll.
    const std::string& trouble() const { return trouble_; }

    std::size_t watched() const { return places_.size(); }

  private:
    struct Place {
        std::filesystem::path path;
        /// For the parent of a root: the only relevant name in it. Empty: all names, at any depth.
        std::string only;
    };

    void arm();
    void add_parent(const std::filesystem::path& root);
    void add_tree(const std::filesystem::path& directory, int depth);
    int add(const std::filesystem::path& directory, const std::string& only);

    std::vector<std::filesystem::path> roots_;
    Fd inotify_;
    unsigned instance_ = 0;
    std::multimap<int, Place> places_;  ///< by watch descriptor: one directory may be two places
    std::string trouble_;
};

}  // namespace left4me
