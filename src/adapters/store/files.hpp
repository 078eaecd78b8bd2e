#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/fd.hpp"

/// File operations of the store, all relative to open directories: replacing a name by a symlink meanwhile
/// has no effect.
namespace left4me::store {

using Done = std::expected<void, std::string>;

/// "WHAT: No such file or directory", with the current errno.
std::unexpected<std::string> io_error(const std::string& what);

/// Creates files and directories with exact modes. Without chmod(2), which would have to set the set-group-ID
/// bit that directories inherit here; a sandboxed service may not set it.
class ExactModes {
  public:
    ExactModes();
    ~ExactModes();
    ExactModes(const ExactModes&) = delete;
    ExactModes& operator=(const ExactModes&) = delete;

  private:
    mode_t previous_;
};

/// Which symlinks an access beneath a directory follows.
enum class Links {
    None,
    Inside,  ///< those that do not leave the directory
};

/// Opens `path` beneath `root`. On failure, see errno.
Fd open_beneath(int root, const std::string& path, int flags, Links links = Links::None);
Fd open_directory(int root, const std::string& path);

/// The names currently in an open directory, without "." and ".."; unsorted.
std::vector<std::string> list(int directory);

/// Reads a regular file; nullopt if it is not one (EINVAL), is longer than `limit` (EFBIG), or cannot be
/// read.
std::optional<std::string> read_file(int root, const std::string& path, std::size_t limit,
                                     Links links = Links::None);

/// Fills the buffer from position `at`; the result is shorter at the end of the file.
std::expected<std::string_view, std::string> read_at(int file, std::string& buffer, std::uint64_t at,
                                                     const std::string& shown);
/// Writes all of it at position `at`.
Done write_at(int file, std::string_view data, std::uint64_t at, const std::string& shown);
/// Writes all of it where the descriptor is.
Done write_all(int file, std::string_view text, const std::string& shown);

/// Creates a new file beneath `root`, with its parent directories.
Done write_new(int root, const std::string& path, std::string_view text, mode_t mode, mode_t directory_mode);

/// Creates the directory if it does not exist, and opens it.
std::expected<Fd, std::string> make_directory(int root, const std::string& path, mode_t mode);

/// Removes a name with everything beneath it, if it exists.
Done remove_tree(int directory, const std::string& name);

/// Atomically replaces whatever `name` was by a symlink.
Done replace_symlink(int directory, const std::string& name, const std::string& target);

/// In `overlays/NAME`: where left4me-build@NAME.service works.
inline constexpr const char* build_directory = ".build";

/// Removes what killed builds and removals left: every name that begins with a dot, but build_directory.
Done sweep(int directory);

}  // namespace left4me::store
