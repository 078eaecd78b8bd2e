#pragma once

#include <sys/types.h>

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

#include "adapters/fd.hpp"

namespace left4me {

/// The whole text of a file, at most `limit` bytes; a longer file or a directory is an error. Never blocks on
/// a FIFO without a writer, unless any kind of file is allowed.
enum class FileKind { Regular, Any };
std::expected<std::string, std::string> read_file(const std::filesystem::path& path, std::size_t limit,
                                                  FileKind kind = FileKind::Regular);

/// Everything from an open descriptor until its end (standard input), within the same limit.
std::expected<std::string, std::string> read_descriptor(int fd, const std::string& name, std::size_t limit);

/// Replaces or creates one file atomically: written next to it, synced, renamed. `mode` is that of a new
/// file.
std::expected<void, std::string> write_file(const std::filesystem::path& path, const std::string& text,
                                            mode_t mode = 0644);

/// Removes temporary files that a killed write_file() left in a directory. Call it while nobody else writes
/// there.
void remove_leftovers(const std::filesystem::path& directory);

/// Opens or creates a file that serves only as a lock; the error is an errno. Anybody who can open a file can
/// also flock(2) it forever, so only its owner may open it. If an earlier version left it open to others, its
/// mode is corrected. Never lock files that others can open (directories, files that people read).
std::expected<Fd, int> open_lock_file(const std::filesystem::path& path);

/// open_lock_file(), then takes the lock; held while the file is open. Blocks.
std::expected<Fd, int> hold_lock_file(const std::filesystem::path& path);

/// `path: MESSAGE`, with the text of errno.
std::string errno_message(const std::filesystem::path& path, int error);

}  // namespace left4me
