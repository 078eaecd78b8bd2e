#pragma once

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "../adapters/store/place.hpp"
#include "support/own_mounts.hpp"

namespace left4me {

/// A tmpfs of the overlay `o` of a place, for this process alone. It lists names in another order than the
/// file systems of disks do.
class OwnDisk {
  public:
    /// `size`: as mount(8) takes it, "3m".
    OwnDisk(const Place& place, const std::string& size) : at_(place.path("overlays/o")) {
        static const bool apart = test::enter_own_mounts();
        place.directory("overlays/o");
        usable_ = apart && ::mount("tmpfs", at_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    }
    ~OwnDisk() {
        if (usable_) (void)::umount2(at_.c_str(), MNT_DETACH);
    }
    OwnDisk(const OwnDisk&) = delete;
    OwnDisk& operator=(const OwnDisk&) = delete;

    /// False without root: there is nothing to be tested then.
    bool usable() const { return usable_; }
    void resize(const std::string& size) const {
        REQUIRE(::mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()) == 0);
    }

  private:
    std::string at_;
    bool usable_ = false;
};

/// What must not matter to a program that builds, of the process that becomes it.
inline void be_another_host() {
    (void)::umask(0077);
    (void)::setenv("TZ", "Asia/Kathmandu", 1);
    for (const char* name : {"LANG", "LC_ALL", "LANGUAGE"}) (void)::setenv(name, "tr_TR.UTF-8", 1);
    (void)::setenv("HOME", "/nonexistent", 1);
    (void)!::chdir("/");
}

}  // namespace left4me
