#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>
#include <thread>

#include "privileged/helper/mounted.hpp"
#include "privileged/helper/remove_tree.hpp"
#include "privileged/helper/unit_name.hpp"
#include "privileged/helper/verbs.hpp"

namespace left4me::helper {
namespace {

class Fd {
  public:
    explicit Fd(int fd) : fd_(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        if (fd_ >= 0) (void)close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

/// left4me-overlay holds a shared lock on the runtime directory while it mounts: under the exclusive one no
/// mount can come into being. Mounting takes milliseconds; a hung one must not hang everybody's helper.
bool lock_out_mounts(int runtime) {
    for (int attempt = 0; attempt < 100; ++attempt) {
        if (flock(runtime, LOCK_EX | LOCK_NB) == 0) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

/// Puts the directory aside in one step, so that a server of the same name can be made anew at once and a
/// purge that is killed half-way leaves nothing that looks like a server's. The next purge of the name ends
/// what it began.
std::string remove_runtime(const std::string& name) {
    const Fd runtime(open(runtime_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (runtime.get() < 0) {
        return errno == ENOENT
                   ? ""
                   : std::string("cannot open ") + runtime_directory + ": " + std::strerror(errno);
    }
    const std::string aside = ".purged-" + name;
    if (const auto removed = remove_tree(runtime.get(), aside); !removed) return removed.error();
    if (!lock_out_mounts(runtime.get()))
        return "another server's overlay has been mounting for more than a second";
    if (mounted_servers().contains(name)) return "its overlay was mounted again meanwhile";
    if (renameat2(runtime.get(), name.c_str(), runtime.get(), aside.c_str(), RENAME_NOREPLACE) != 0) {
        return errno == ENOENT ? ""
                               : std::string("cannot move its runtime directory: ") + std::strerror(errno);
    }
    (void)flock(runtime.get(), LOCK_UN);
    const auto removed = remove_tree(runtime.get(), aside);
    return removed ? "" : removed.error();
}

void unmount_and_remove(Manager& manager, const BatchPtr& batch, Entry& entry) {
    const std::string unit = umount_unit(entry.name);
    manager.run(unit, [batch, &entry, unit](const std::string& result) {
        entry.error = result == "done"
                          ? remove_runtime(entry.name)
                          : "cannot unmount its overlay (" + result + "); see journalctl -u " + unit;
    });
}

}  // namespace

void purge(Manager& manager, const BatchPtr& batch) {
    manager.list_servers([&manager, batch](const UnitStates& states, const std::string& error) {
        const std::set<std::string> mounted = mounted_servers();
        for (Entry& entry : batch->entries) {
            const auto state = states.find(entry.name);
            if (!error.empty())
                entry.error = error;
            else if (state != states.end() && !state->second.stopped())
                entry.error =
                    "the unit is " + state->second.active + " (" + state->second.sub + "): stop it first";
            else if (mounted.contains(entry.name))
                unmount_and_remove(manager, batch, entry);
            else
                entry.error = remove_runtime(entry.name);
        }
    });
}

}  // namespace left4me::helper
