#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "specs/load.hpp"

namespace left4me {

/// One file of a change that was committed but perhaps not completed.
struct LogEntry {
    std::filesystem::path path;       ///< relative to the source
    std::optional<std::string> text;  ///< nullopt: to be removed
    std::string before;  ///< hash of the text that the change was made from; empty: there was no file
};

using TransactionLog = std::vector<LogEntry>;

/// nullopt: no change is in progress. A transaction log is renamed into place only when complete, so a
/// damaged one is an error.
std::expected<std::optional<TransactionLog>, std::string> read_transaction_log(
    const std::filesystem::path& directory, const Limits& limits);

/// The files as they will be once the transaction log is rolled forward, in byte order of their paths.
std::vector<SourceFile> with_transaction_log(const std::filesystem::path& directory,
                                             std::vector<SourceFile> files, const TransactionLog& log);

}  // namespace left4me
