#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

namespace left4me {

/// The whole text of a file, at most `limit` bytes of it; a longer one is an error, as is a directory. Never
/// blocks on opening a FIFO that nobody writes to, unless any kind of file will do.
enum class FileKind { Regular, Any };
std::expected<std::string, std::string> read_file(const std::filesystem::path& path, std::size_t limit,
                                                  FileKind kind = FileKind::Regular);

/// What stands on an open descriptor until its end (standard input), within the same limit.
std::expected<std::string, std::string> read_descriptor(int fd, const std::string& name, std::size_t limit);

/// Replaces (or makes) one file at once: written beside it, synced, renamed.
std::expected<void, std::string> write_file(const std::filesystem::path& path, const std::string& text);

/// `path: what the kernel says about errno`.
std::string errno_message(const std::filesystem::path& path, int error);

}  // namespace left4me
