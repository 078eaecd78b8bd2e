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

    std::size_t watched() const { return trees_.size() + parents_.size(); }

  private:
    /// By watch descriptor. A host has several directories per server: a string takes a third of the memory
    /// of a std::filesystem::path.
    using Trees = std::map<int, std::string>;
    /// By watch descriptor, the only relevant names in the parents of the roots. A parent may be watched for
    /// several roots, and be in a tree, too.
    using Parents = std::multimap<int, std::string>;

    void arm();
    void add_parent(const std::filesystem::path& root);
    void add_tree(const std::string& directory, int depth);
    int add(const std::string& directory);

    std::vector<std::filesystem::path> roots_;
    Fd inotify_;
    unsigned instance_ = 0;
    Trees trees_;
    Parents parents_;
    std::string trouble_;
};

}  // namespace left4me
