#include "privileged/overlay/kernel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace left4me::overlay {

std::unexpected<Error> system_failure(const std::string& message) {
    const int number = errno;
    return fail(Failure::System, message + ": " + std::strerror(number), number);
}

namespace kernel {

Result<Fd> open_beneath(int root, const std::string& name) {
    open_how how{};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    constexpr int timeout =
        16;  // EAGAIN: something was renamed during the lookup, so the lookup proves nothing
    long fd = -1;
    for (int attempt = 0; attempt < timeout; ++attempt) {
        fd = ::syscall(SYS_openat2, root, name.c_str(), &how, sizeof(how));
        if (fd >= 0 || errno != EAGAIN) break;
    }
    if (fd >= 0) return Fd(static_cast<int>(fd));
    switch (errno) {
        case ELOOP:
            return fail(Failure::Refused, fmt::format("{} is or passes a symlink", name));
        case EXDEV:
            return fail(Failure::Refused, fmt::format("{} leads out of the state directory", name));
        case ENOTDIR:
            return fail(Failure::Refused, fmt::format("{} is not a directory", name));
        default:
            return system_failure(name);
    }
}

std::string descriptor_path(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

Result<Context> Context::open(const char* type) {
    Fd fd(::fsopen(type, FSOPEN_CLOEXEC));
    if (!fd) return system_failure(fmt::format("file system {}", type));
    return Context(std::move(fd));
}

Result<> Context::set(const char* key, const std::string& value) const {
    if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0) return {};
    const int number = errno;
    return fail(Failure::System, fmt::format("{}={}: {}", key, value, words(number)), number);
}

Result<Fd> Context::create(unsigned attributes) {
    if (::fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return fail(Failure::System, "the file system could not be made: " + words(errno));
    }
    Fd mount(::fsmount(fd_.get(), FSMOUNT_CLOEXEC, attributes));
    if (!mount) return fail(Failure::System, "the file system could not be mounted: " + words(errno));
    fd_.reset();
    return mount;
}

std::string Context::words(int number) const {
    std::string words;
    std::array<char, 1024> buffer{};  // one message a read, "e overlay: …"
    ssize_t got = 0;
    while ((got = ::read(fd_.get(), buffer.data(), buffer.size())) > 0) {
        std::string_view message(buffer.data(), static_cast<std::size_t>(got));
        if (message.size() > 2 && message[1] == ' ') message.remove_prefix(2);
        while (message.ends_with('\n')) message.remove_suffix(1);
        if (!words.empty()) words += "; ";
        words += message;
    }
    return words.empty() ? std::strerror(number) : fmt::format("{} ({})", words, std::strerror(number));
}

bool takes_single_layers() {
    // A value that no kernel accepts, so that the error shows whether the kernel knows the parameter. 6.5 to
    // 6.7 do not know it; older kernels collect any options for mount(2) and succeed here. Both errors are
    // EINVAL; only the messages differ (fs/fs_parser.c), and they stay in the context. The name of a missing
    // directory would leave a line in the kernel log at every start of a server.
    const auto context = Context::open("overlay");
    if (!context) return false;
    const auto taken = context->set("lowerdir+", "");
    return !taken && taken.error().message.find("Bad value") != std::string::npos;
}

}  // namespace kernel

}  // namespace left4me::overlay
