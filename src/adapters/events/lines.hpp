#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// The size at which a file of lines is rotated. One older file is kept, so the two take at most twice as
/// much.
inline constexpr std::size_t max_bytes_of_lines = std::size_t{4} << 20U;

/// The name of the older file: `events.jsonl` → `events.1.jsonl`.
std::filesystem::path older_file(const std::filesystem::path& path);

/// Appends lines to a file that others append to and read at the same time. Each line is written with one
/// call; a half-written last line of a killed process is terminated first. Creates the file. A file that has
/// reached `limit` is rotated before.
std::expected<void, std::string> append_lines(const std::filesystem::path& path,
                                              const std::vector<std::string>& lines,
                                              std::size_t limit = max_bytes_of_lines);

/// All lines, those of the older file first. A missing file has none.
std::vector<std::string> read_lines(const std::filesystem::path& path);

}  // namespace left4me
