#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

#include "adapters/fd.hpp"

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

/// Removes what write_file() left in a directory when it was killed. Call it while nobody else writes there.
void remove_leftovers(const std::filesystem::path& directory);

/// A file that is nothing but a lock, opened or made; the error is an errno. Whoever may open a file may also
/// flock(2) it for ever, so it is its owner's alone; one that an earlier version left open to others is
/// closed to them. What others can open (directories, files that people read) must not be locked itself.
std::expected<Fd, int> open_lock_file(const std::filesystem::path& path);

/// open_lock_file(), and the lock taken; held as long as the file is open. Waits.
std::expected<Fd, int> hold_lock_file(const std::filesystem::path& path);

/// `path: what the kernel says about errno`.
std::string errno_message(const std::filesystem::path& path, int error);

}  // namespace left4me
