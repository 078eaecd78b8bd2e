#include "privileged/overlay/pinned.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "privileged/overlay/kernel.hpp"

namespace left4me::overlay {

Result<PinnedNames> PinnedNames::make() {
    struct statfs proc{};
    if (::statfs("/proc/self/fd", &proc) != 0 || proc.f_type != PROC_SUPER_MAGIC) {
        return fail(Failure::System, "/proc is not mounted");
    }
    auto context = kernel::Context::open("tmpfs");
    if (!context) return std::unexpected(context.error());
    if (auto done = context->set("mode", "0700"); !done) return std::unexpected(done.error());
    auto mount = context->create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (!mount) return std::unexpected(mount.error());
    return PinnedNames(std::move(*mount));
}

Result<> PinnedNames::pin(const std::string& name, int directory) const {
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
        const std::string parent = name.substr(0, slash);
        if (::mkdirat(directory_.get(), parent.c_str(), 0700) != 0 && errno != EEXIST)
            return system_failure(parent);
    }
    const std::string target = kernel::descriptor_path(directory);
    if (::symlinkat(target.c_str(), directory_.get(), name.c_str()) != 0) return system_failure(name);
    return {};
}

Result<WorkingDirectory> WorkingDirectory::enter(int directory) {
    Fd previous(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!previous) return system_failure("working directory");
    if (::fchdir(directory) != 0) return system_failure("changing the working directory");
    return WorkingDirectory(std::move(previous));
}

WorkingDirectory::~WorkingDirectory() {
    if (!previous_) return;
    // It was our directory, so it can be that again.
    [[maybe_unused]] const int entered = ::fchdir(previous_.get());
}

}  // namespace left4me::overlay
