#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "builder/result.hpp"

namespace left4me::builder {

/// Where the entries of an archive go. Two implementations: TreeWriter, for whole overlays, and MapWriter,
/// for the one file that is wanted of an archive. Paths and targets are those of strangers.
class EntryWriter {
  public:
    EntryWriter() = default;
    EntryWriter(const EntryWriter&) = delete;
    EntryWriter& operator=(const EntryWriter&) = delete;
    virtual ~EntryWriter() = default;

    virtual Built<void> directory(std::string_view path) = 0;
    /// An empty file. write() and end_file() are about it, until the next entry.
    virtual Built<void> begin_file(std::string_view path, bool program) = 0;
    /// Data at a position; what lies between is a hole. Nothing happens if the file is left out.
    virtual Built<void> write(std::uint64_t offset, std::string_view data) = 0;
    /// `size`: of the whole file, at least as far as data was written; then comes a hole.
    virtual Built<void> end_file(std::uint64_t size) = 0;
    virtual Built<void> link(std::string_view path, const std::string& target) = 0;
    /// Another name of a file that is already there. `original`: its path, as the source names it.
    virtual Built<void> hard_link(std::string_view path, std::string_view original) = 0;
    /// An entry of a kind that no overlay may contain. An error, unless it is left out.
    virtual Built<void> refuse(std::string_view path, const std::string& why) = 0;

    /// What the files take up on the disk so far: data, and a block for each hole.
    virtual std::uint64_t bytes() const = 0;
};

/// Why no entry may have this path, with the remedy; empty: it may. Refused are absolute paths, `..`, names
/// that are not UTF-8 or have a control character or a backslash, and what is too long or too deep.
std::string why_not_a_path(std::string_view path);

}  // namespace left4me::builder
