#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>
#include <thread>

#include "adapters/remove_tree.hpp"
#include "privileged/helper/mounted.hpp"
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

/// left4me-overlay holds this lock on a server's runtime directory while it mounts or unmounts: nothing can
/// be mounted while it is ours. Mounting takes milliseconds; a hung one must not hang everybody's helper.
bool lock_out_mounts(int directory) {
    for (int attempt = 0; attempt < 100; ++attempt) {
        if (flock(directory, LOCK_EX | LOCK_NB) == 0) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

std::string failure(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

/// Puts the directory aside in one step, so that a server of the same name can be made anew at once and a
/// purge that is killed half-way leaves nothing that looks like a server's. The next purge of the name ends
/// what it began.
std::string remove_runtime(const std::string& name) {
    const Fd runtime(open(runtime_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (runtime.get() < 0) return errno == ENOENT ? "" : failure(runtime_directory);
    const std::string aside = ".purged-" + name;
    if (const auto removed = remove_tree(runtime.get(), aside); !removed) return removed.error();
    const Fd server(openat(runtime.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (server.get() < 0) return errno == ENOENT ? "" : failure("cannot open its runtime directory");
    if (!lock_out_mounts(server.get()))
        return "its overlay has been in the middle of mounting for more than a second";
    if (mounted_servers().contains(name))
        return "something is still, or again, mounted beneath its runtime directory";
    if (renameat2(runtime.get(), name.c_str(), runtime.get(), aside.c_str(), RENAME_NOREPLACE) != 0)
        return failure("cannot move its runtime directory");
    const auto removed = remove_tree(runtime.get(), aside);
    return removed ? "" : removed.error();
}

void remove_and_forget(Manager& manager, const BatchPtr& batch, Entry& entry, bool failed) {
    entry.error = remove_runtime(entry.name);
    if (entry.error.empty() && failed) forget_failure(manager, batch, entry);
}

void unmount_and_remove(Manager& manager, const BatchPtr& batch, Entry& entry, bool failed) {
    const std::string unit = umount_unit(entry.name);
    manager.run(unit, [&manager, batch, &entry, unit, failed](const std::string& result) {
        // A job whose end nobody saw is judged by what it was for: nothing is removed beneath a mount.
        if (result == "done" || result.empty()) return remove_and_forget(manager, batch, entry, failed);
        entry.error = "cannot unmount its overlay (" + result + "); see journalctl -u " + unit;
    });
}

}  // namespace

void purge(Manager& manager, const BatchPtr& batch) {
    manager.list_servers([&manager, batch](const UnitStates& states, const std::string& error) {
        const std::set<std::string> mounted = mounted_servers();
        for (Entry& entry : batch->entries) {
            const auto found = states.find(entry.name);
            const UnitState state = found == states.end() ? UnitState() : found->second;
            const bool failed = state.active == "failed";
            if (!error.empty())
                entry.error = error;
            else if (!state.stopped())
                entry.error = "the unit is " + state.active + " (" + state.sub + "): stop it first";
            else if (mounted.contains(entry.name))
                unmount_and_remove(manager, batch, entry, failed);
            else
                remove_and_forget(manager, batch, entry, failed);
        }
    });
}

}  // namespace left4me::helper
