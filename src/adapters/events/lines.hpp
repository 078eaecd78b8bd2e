#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// Where a file of lines begins anew: the older half is kept in one more file, so the two take at most twice
/// as much.
inline constexpr std::size_t most_bytes_of_lines = std::size_t{4} << 20U;

/// The name of the older file: `events.jsonl` → `events.1.jsonl`.
std::filesystem::path older_file(const std::filesystem::path& path);

/// Appends lines to a file that others append to and read at the same time: each is written with one call,
/// and a half-written last line of somebody who was killed gets its end first. Makes the file. A file that
/// has reached `limit` is moved aside before.
std::expected<void, std::string> append_lines(const std::filesystem::path& path,
                                              const std::vector<std::string>& lines,
                                              std::size_t limit = most_bytes_of_lines);

/// All lines, those of the older file first. A missing file has none.
std::vector<std::string> read_lines(const std::filesystem::path& path);

}  // namespace left4me
