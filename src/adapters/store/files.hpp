#pragma once

#include <sys/types.h>

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"

/// The few things the store does with files, all relative to open directories: a name that somebody swaps for
/// a symlink meanwhile leads nowhere.
namespace left4me::store {

using Done = std::expected<void, std::string>;

/// "WHAT: No such file or directory", with the current errno.
std::unexpected<std::string> io_error(const std::string& what);

/// Files and directories get exactly the modes that they are made with. Not by chmod(2): that would have to
/// name the set-group-ID bit, which directories inherit here and which a sandboxed service may not set.
class ExactModes {
  public:
    ExactModes();
    ~ExactModes();
    ExactModes(const ExactModes&) = delete;
    ExactModes& operator=(const ExactModes&) = delete;

  private:
    mode_t previous_;
};

/// Opens `path` beneath `root`; no symlink anywhere in it. Check for failure with errno.
Fd open_beneath(int root, const std::string& path, int flags);
Fd open_directory(int root, const std::string& path);

/// The names in an open directory now, without "." and ".."; unsorted.
std::vector<std::string> list(int directory);

/// Reads a regular file; nullopt if it is none, or longer than `limit`, or cannot be read.
std::optional<std::string> read_file(int root, const std::string& path, std::size_t limit);

/// Writes all of it at the beginning.
Done write_all(int file, std::string_view text, const std::string& shown);

/// Makes a new file beneath `root`; the directories on the way are made too.
Done write_new(int root, const std::string& path, std::string_view text, mode_t mode, mode_t directory_mode);

/// Makes the directory if it is not there, and opens it.
std::expected<Fd, std::string> make_directory(int root, const std::string& path, mode_t mode);

/// Removes a name and all that is beneath it, if it is there.
Done remove_tree(int directory, const std::string& name);

/// Puts a symlink in place of whatever `name` was, in one step.
Done replace_symlink(int directory, const std::string& name, const std::string& target);

/// In `overlays/NAME`: where left4me-build@NAME.service works.
inline constexpr const char* build_directory = ".build";

/// Removes what killed builds and removals left: every name that begins with a dot, but build_directory.
Done sweep(int directory);

/// Takes the lock of one directory of the store (`what` names it), held as long as it is open. It is a file
/// of its own in a directory that only left4me may enter: the directories themselves are open to others, who
/// could lock them, too.
std::expected<Fd, std::string> lock(const Paths& paths, const std::string& what);

}  // namespace left4me::store
