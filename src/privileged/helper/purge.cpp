#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>
#include <string_view>
#include <thread>
#include <vector>

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

/// left4me-overlay holds this lock on a server's runtime directory while it mounts or unmounts, so nothing
/// can be mounted while we hold it. Mounting takes milliseconds; a hung mount must not block the helper for
/// everybody.
bool lock_out_mounts(int directory) {
    for (int attempt = 0; attempt < 100; ++attempt) {
        if (flock(directory, LOCK_EX | LOCK_NB) == 0) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

const std::string aside_prefix = ".purged-";

std::vector<std::string> purged_trees(int runtime) {
    std::vector<std::string> names;
    const int fd = openat(runtime, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* directory = fd < 0 ? nullptr : fdopendir(fd);
    if (directory == nullptr) return names;
    while (const dirent* entry = readdir(directory))
        if (std::string_view(entry->d_name).starts_with(aside_prefix)) names.emplace_back(entry->d_name);
    (void)closedir(directory);
    return names;
}

std::string failure(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

/// Renames the directory atomically, so that a server of the same name can be created immediately, and an
/// interrupted purge leaves nothing that looks like a server's directory. `aside` receives the new name, and
/// the names that earlier purges left.
std::string put_aside(int runtime, const std::string& name, std::vector<std::string>& aside) {
    const std::string first = aside_prefix + name;  // the name in version 0.1
    if (faccessat(runtime, first.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) aside.push_back(first);
    const Fd server(openat(runtime, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const bool gone = server.get() < 0 && errno == ENOENT;
    if (!gone && server.get() < 0) return failure("cannot open its runtime directory");
    if (!gone && !lock_out_mounts(server.get()))
        return "its overlay has been mounting for more than a second";
    if (!gone && mounted_servers().contains(name))
        return "something is mounted beneath its runtime directory";
    constexpr int attempts = 1000;
    for (int number = 1; number <= attempts; ++number) {
        // A server's name contains no dot, so this is not another server's.
        aside.push_back(first + "." + std::to_string(number));
        if (faccessat(runtime, aside.back().c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) continue;
        if (!gone && renameat2(runtime, name.c_str(), runtime, aside.back().c_str(), RENAME_NOREPLACE) != 0)
            return failure("cannot move its runtime directory");
        return "";
    }
    return "too many earlier purges of it are still under way";
}

void remove_and_forget(Manager& manager, const BatchPtr& batch, Entry& entry, bool failed) {
    const Fd runtime(open(runtime_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (runtime.get() < 0 && errno != ENOENT) entry.error = failure(runtime_directory);
    std::vector<std::string> aside;
    if (runtime.get() >= 0) entry.error = put_aside(runtime.get(), entry.name, aside);
    if (!entry.error.empty()) return;
    // The caller gets its reply when the last file is gone; other callers do not wait.
    const Join removed = when_all_are_done([&manager, batch, &entry, failed] {
        if (entry.error.empty() && failed) forget_failure(manager, batch, entry);
    });
    for (const std::string& name : aside) {
        manager.remover().remove(name, [batch, &entry, removed](const std::string& error) {
            if (!error.empty()) entry.error = error;
        });
    }
}

void unmount_and_remove(Manager& manager, const BatchPtr& batch, Entry& entry, bool failed) {
    const std::string unit = umount_unit(entry.name);
    manager.run(unit, [&manager, batch, &entry, unit, failed](const std::string& result) {
        // A job whose end nobody saw is judged by its effect: nothing is removed beneath a mount.
        if (result == "done" || result.empty()) return remove_and_forget(manager, batch, entry, failed);
        entry.error = "cannot unmount its overlay (" + result + "); see journalctl -u " + unit;
    });
}

}  // namespace

void remove_leftovers(Manager& manager) {
    const Fd runtime(open(runtime_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (runtime.get() < 0) return;
    for (const std::string& name : purged_trees(runtime.get())) {
        manager.remover().remove(name, [name](const std::string& error) {
            if (!error.empty()) std::fprintf(stderr, "%s: %s\n", name.c_str(), error.c_str());
        });
    }
}

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
