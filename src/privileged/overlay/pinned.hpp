#pragma once

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay {

/// A directory whose names lead to directories that were checked before, whatever happens to the real names
/// meanwhile.
///
/// overlayfs takes names (descriptors only since Linux 6.13, and its mount(2) never) and shows them in
/// mountinfo forever, so they must be the real names; but they must lead to the checked directories. This
/// class provides both. The directory is a tmpfs that is not attached to any mount namespace, so nobody else
/// can reach it, and it vanishes with the process. In it, `overlays/tickrate/4f1c…` is a symlink to the open
/// descriptor of that layer. Mounting from there with relative names also keeps the names short, as mount(2)
/// requires.
class PinnedNames {
  public:
    static Result<PinnedNames> make();
    /// From now on, `name` (relative, without dots) leads to `directory`, which must stay open.
    Result<> pin(const std::string& name, int directory) const;

    int directory() const { return directory_.get(); }

  private:
    explicit PinnedNames(Fd directory) : directory_(std::move(directory)) {}
    Fd directory_;
};

/// Changes to a directory, and back at the end of the scope.
class WorkingDirectory {
  public:
    static Result<WorkingDirectory> enter(int directory);
    WorkingDirectory(WorkingDirectory&&) = default;
    WorkingDirectory& operator=(WorkingDirectory&&) = delete;
    ~WorkingDirectory();

  private:
    explicit WorkingDirectory(Fd previous) : previous_(std::move(previous)) {}
    Fd previous_;
};

}  // namespace left4me::overlay
