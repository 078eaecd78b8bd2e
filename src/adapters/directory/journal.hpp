#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "specs/load.hpp"

namespace left4me {

/// One file of a change that was committed but perhaps not completed.
struct JournalEntry {
    std::filesystem::path path;       ///< relative to the source
    std::optional<std::string> text;  ///< nullopt: to be removed
    std::string before;  ///< hash of the text that the change was made from; empty: there was no file
};

using Journal = std::vector<JournalEntry>;

/// nullopt: no change is in progress. A journal is renamed into place only when complete, so a damaged one is
/// an error.
std::expected<std::optional<Journal>, std::string> read_journal(const std::filesystem::path& directory,
                                                                const Limits& limits);

/// The files as they will be once the journal is rolled forward, in byte order of their paths.
std::vector<SourceFile> with_journal(const std::filesystem::path& directory, std::vector<SourceFile> files,
                                     const Journal& journal);

}  // namespace left4me
