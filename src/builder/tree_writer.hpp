#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/fd.hpp"
#include "builder/entry_writer.hpp"
#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Which of a source's paths become which paths of the overlay.
struct PathMapping {
    std::string into;                  ///< as ArchiveSource::into
    std::size_t strip_components = 0;  ///< as ArchiveSource::strip_components
    std::vector<std::string> exclude;  ///< as ArchiveSource::exclude
};

/// Writes entries that somebody outside has named into an empty directory, and nowhere else. For every source
/// whose content is a list of entries. Refuses, with the entry's name and the remedy, what an overlay may not
/// contain; whether links lead out is checked by finish().
class TreeWriter : public EntryWriter {
  public:
    /// `limits`: of what is written. Entries count even if they are left out.
    TreeWriter(int root, PathMapping mapping, const SourceLimits& limits);

    Built<void> directory(std::string_view path) override;
    Built<void> begin_file(std::string_view path, bool program) override;
    Built<void> write(std::uint64_t offset, std::string_view data) override;
    Built<void> end_file(std::uint64_t size) override;
    Built<void> link(std::string_view path, const std::string& target) override;
    Built<void> hard_link(std::string_view path, std::string_view original) override;
    Built<void> refuse(std::string_view path, const std::string& why) override;

    /// When all are there: checks where links lead, and returns the digest of the tree. `no_file`: the error
    /// if there is no file.
    Built<std::string> finish(const std::string& no_file) const;

    std::uint64_t files() const { return files_; }  ///< written so far
    std::uint64_t bytes() const override { return bytes_; }

  private:
    /// Where an entry is to be made.
    struct Destination {
        int parent = -1;  ///< a directory, open until the next call of parent_of()
        std::string name;
    };
    /// nullopt: the entry is left out.
    Built<std::optional<Destination>> destination_of(std::string_view path);
    /// Its path in the tree. Empty: the entry is left out.
    Built<std::string> map(std::string_view path);
    /// The same for a path that is not an entry itself.
    Built<std::string> mapped(std::string_view path) const;
    bool is_excluded(std::string_view path) const;
    /// The directory that `path` is in, created if it is not there. `path` is then its last name.
    Built<int> parent_of(std::string_view& path, std::string_view shown);
    Built<Fd> make_directory(int parent, const std::string& name, std::string_view shown);
    std::unexpected<BuildError> too_many() const;

    int root_;
    PathMapping mapping_;
    SourceLimits limits_;
    std::string parent_path_;
    Fd parent_;  ///< open at parent_path_
    Fd file_;
    std::string file_name_;       ///< as the source names it
    std::uint64_t file_end_ = 0;  ///< behind the last data of the file
    std::uint64_t entries_ = 0;
    std::uint64_t directories_ = 0;
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace left4me::builder
