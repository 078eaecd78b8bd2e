#pragma once

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay::kernel {

/// Opens a directory (O_PATH) beneath `root`. Follows no symlink, not even as the last component, and does
/// not leave `root`; such a name is Failure::Refused. Mount points may be crossed: an installation on its own
/// disk is common, only root can mount, and servers' own mounts are where no layer may be.
Result<Fd> open_beneath(int root, const std::string& name);

/// A directory's descriptor as a path, for calls that only take paths. It leads to the opened inode, whatever
/// has replaced the directory since.
std::string descriptor_path(int fd);

/// A configuration context of the new mount API, fsopen(2). Every step is checked, and a failure carries the
/// kernel's own message.
class Context {
  public:
    static Result<Context> open(const char* type);
    Result<> set(const char* key, const std::string& value) const;
    /// Creates the file system and returns it as a mount that is not attached anywhere. Closes the context.
    Result<Fd> create(unsigned attributes);

  private:
    explicit Context(Fd fd) : fd_(std::move(fd)) {}
    /// The messages that the kernel left in the context, in one line, with the text of errno.
    std::string words(int number) const;
    Fd fd_;
};

/// Whether overlayfs accepts layers one by one (`lowerdir+`). Tested by trying, not by the kernel's version.
bool takes_single_layers();

}  // namespace left4me::overlay::kernel
