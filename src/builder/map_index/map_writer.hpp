#pragma once

#include <cstdint>
#include <string>

#include "builder/entry_writer.hpp"
#include "builder/map_index/read_index.hpp"

namespace left4me::builder {

/// Takes the one VPK that is wanted from an archive. Whatever the archive calls its entries, only this one
/// file, which is open already, is written. Directories, and files that are no VPKs, are ignored; another
/// VPK, a link or device in the place of one, and paths that lead out are refused.
class MapWriter : public EntryWriter {
  public:
    /// `file`: empty, open for writing.
    MapWriter(const Map& map, int file) : map_(map), file_(file) {}

    Built<void> directory(std::string_view path) override;
    Built<void> begin_file(std::string_view path, bool program) override;
    Built<void> write(std::uint64_t offset, std::string_view data) override;
    Built<void> end_file(std::uint64_t size) override;
    Built<void> link(std::string_view path, const std::string& target) override;
    Built<void> hard_link(std::string_view path, std::string_view original) override;
    Built<void> refuse(std::string_view path, const std::string& why) override;
    std::uint64_t bytes() const override { return bytes_; }

    /// An error if the file has not come, or not whole. Its content is not checked.
    Built<void> finish() const;

  private:
    /// Whether the entry is a VPK.
    Built<bool> enter(std::string_view path);
    Built<void> refuse_vpk(std::string_view path, const std::string& why);

    const Map& map_;
    int file_;
    std::uint64_t bytes_ = 0;
    std::uint64_t size_ = 0;
    std::uint64_t entries_ = 0;
    bool found_ = false;
    bool writing_ = false;
};

}  // namespace left4me::builder
