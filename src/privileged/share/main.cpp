// left4me-share NAME: what the build of an overlay has just published is sealed, and stored once with what
// other artifacts have of it. Runs as root from ExecStopPost= of left4me-build@NAME.service. It parses no
// content, and a build does not depend on it.
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "adapters/fd.hpp"
#include "adapters/store/shared_files.hpp"
#include "adapters/store/steam_files.hpp"
#include "privileged/share/alone.hpp"
#include "privileged/share/share.hpp"
#include "specs/name.hpp"

namespace {

using left4me::Fd;

constexpr const char* lock_path = "/run/left4me/share.lock";

int fail(const std::string& message) {
    (void)std::fprintf(stderr, "left4me-share: %s\n", message.c_str());
    return 1;
}

/// Other overlays are not in the unit's own view: its BindPaths= and TemporaryFileSystem= hold for `+`, too.
bool see_the_host() {
    const Fd host(::open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC));
    return host && ::setns(host.get(), CLONE_NEWNS) == 0;
}

/// Giving files to another user, linking to theirs, and writing in the directories of whoever builds.
bool keep_capabilities() {
    constexpr unsigned kept = 1U << CAP_CHOWN | 1U << CAP_FOWNER | 1U << CAP_DAC_OVERRIDE;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    data[0].effective = data[0].permitted = kept;
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(SYS_capset, &header, data.data()) == 0;
}

bool find_users(left4me::share::Settings& settings) {
    const passwd* const builder =
        ::getpwnam("left4me");  // NOLINT(concurrency-mt-unsafe): there is one thread
    if (builder == nullptr) return false;
    settings.builder = builder->pw_uid;
    settings.group = builder->pw_gid;
    const passwd* const owner = ::getpwnam("left4me-server");  // NOLINT(concurrency-mt-unsafe)
    if (owner == nullptr) return false;
    settings.owner = owner->pw_uid;
    return true;
}

/// The unit's TimeoutStopSec= is for what hangs.
void takes(std::chrono::seconds time) {
    const std::string message =
        "EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds(time).count());
    (void)::sd_notify(0, message.c_str());
}

/// Two builds that end at the same moment share with each other, too.
Fd hold_lock() {
    Fd file(::open(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    while (file && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) file.reset();
        takes(std::chrono::minutes(1));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return file;
}

bool exists(const std::string& path) {
    return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || !left4me::is_valid_name(argv[1])) {
        (void)std::fputs("usage: left4me-share NAME\n", stderr);
        return 2;
    }
    const std::string overlay = argv[1];
    left4me::share::Settings settings;
    settings.takes = takes;
    const std::string directory = settings.overlays / overlay / left4me::store::build_directory;
    // Nothing is new: a build failed, or somebody only asked what is upstream.
    if (!exists(directory + "/" + left4me::store::fresh_name)) return 0;
    if (!see_the_host()) return fail("the host's own mounts cannot be seen");
    if (!find_users(settings))
        return fail("there is no user left4me or left4me-server; sysusers.d makes them");
    takes(std::chrono::minutes(2));
    if (exists(directory + "/" + left4me::store::steam_room::directory)) {
        if (const auto stopped = left4me::share::stop_steamcmd(overlay); !stopped)
            return fail(stopped.error());
    }
    if (const auto alone = left4me::share::check_alone(); !alone) return fail(alone.error());
    const Fd lock = hold_lock();
    if (!lock) return fail(std::string(lock_path) + " cannot be locked");
    if (!keep_capabilities()) return fail("capabilities cannot be given up");
    ::umask(0);
    const auto sharing = left4me::share::share_artifact(settings, overlay);
    if (!sharing) return fail(sharing.error());
    if (sharing->shared_files > 0)
        (void)std::fprintf(stderr, "%s of %s files are stored once with other artifacts, %s bytes\n",
                           std::to_string(sharing->shared_files).c_str(),
                           std::to_string(sharing->files).c_str(),
                           std::to_string(sharing->shared_bytes).c_str());
    return 0;
}
