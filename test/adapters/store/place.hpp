#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "adapters/paths.hpp"
#include "adapters/store/store.hpp"
#include "support/catch.hpp"

namespace left4me {

/// A state directory and an /etc/left4me for one test, removed at the end.
class Place {
  public:
    Place();
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    Paths paths;

    std::string path(const std::string& name) const { return (root_ / name).string(); }
    void file(const std::string& name, const std::string& text) const;
    void directory(const std::string& name) const;
    void symlink(const std::string& name, const std::string& target) const;
    void remove(const std::string& name) const;
    std::string read(const std::string& name) const;
    bool exists(const std::string& name) const;
    mode_t mode(const std::string& name) const;
    ino_t inode(const std::string& name) const;
    /// Names beneath a directory, at any depth, sorted.
    std::vector<std::string> names(const std::string& directory) const;
    /// Moves every change time beneath it into the past, as far as the kernel allows: waits until it is.
    void let_settle() const;

    /// The store's observation, with an empty cache.
    Target target(const Desired& desired) const;
    Observed observe(const Desired& desired) const;
    /// The target rendering of server `name`; fails the test if it is unknown.
    std::shared_ptr<const TargetRendering> rendering(const Desired& desired,
                                                     const std::string& name = "comp1") const;
    /// Why that is unknown; fails the test if it is known.
    std::string error(const Desired& desired, const std::string& name = "comp1") const;
    /// Builds and renders everything in the target that is missing, like a pass.
    void converge(const Desired& desired) const;

  private:
    std::filesystem::path root_;
};

DesiredServer a_server(const std::string& name, const std::vector<std::string>& overlays = {});
Desired one_server(const std::string& name = "comp1");
InlineSource inline_source(const std::map<std::string, std::string>& files);
OverlaySource directory_source(const std::string& path);

/// The artifact that names the content of a source; fails the test if there is none.
std::string wanted(const Place& place, const OverlaySource& source);
/// What changes when anything about a directory does; fails the test if that cannot be told.
std::string input_of(const Place& place, const OverlaySource& source);
/// Why there is none.
std::string refusal(const Place& place, const OverlaySource& source);

}  // namespace left4me
