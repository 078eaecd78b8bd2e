#pragma once

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay::kernel {

/// Opens a directory (O_PATH) beneath `root`. No symlink on the way, not even the last name, nothing above
/// `root`; what is not such a name is Failure::Refused. Mount points may be crossed: an installation on a
/// disk of its own is a common thing, only root can mount, and servers' own mounts lie where no layer may.
Result<Fd> open_beneath(int root, const std::string& name);

/// A directory's descriptor as a name for the calls that only take names. The link leads to the very inode
/// that was opened, whatever has been put in its place since.
std::string descriptor_path(int fd);

/// A configuration context of the new mount API, fsopen(2): every step is checked, and a failure carries the
/// kernel's own words.
class Context {
  public:
    static Result<Context> open(const char* type);
    Result<> set(const char* key, const std::string& value) const;
    /// Makes the file system and gives it as a mount that is attached nowhere. Lets go of the context.
    Result<Fd> create(unsigned attributes);

  private:
    explicit Context(Fd fd) : fd_(std::move(fd)) {}
    /// The messages that the kernel has left in the context, in one line, with what errno says.
    std::string words(int number) const;
    Fd fd_;
};

/// Whether overlayfs takes its layers one by one (`lowerdir+`). Asked by trying, not by the kernel's version.
bool takes_single_layers();

}  // namespace left4me::overlay::kernel
