#include "adapters/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "adapters/fd.hpp"

namespace left4me {

namespace {

/// The prefix of a half-written file's name. The dot hides it from readers of the directory; the rest
/// distinguishes it from files of editors and rsync.
constexpr std::string_view unfinished = ".left4me-new-";

std::expected<void, std::string> write_all(int fd, std::string_view text, const std::filesystem::path& path) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return std::unexpected(errno_message(path, errno));
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// A name is durable only once its directory is synced.
std::expected<void, std::string> sync_directory(const std::filesystem::path& directory) {
    const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return std::unexpected(errno_message(directory, errno));
    return {};
}

}  // namespace

void remove_leftovers(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::directory_iterator entries(directory, error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        if (name.starts_with(unfinished)) (void)::unlink(entries->path().c_str());
    }
}

std::expected<Fd, int> open_lock_file(const std::filesystem::path& path) {
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) return std::unexpected(errno);
    if (!S_ISREG(status.st_mode)) return std::unexpected(EINVAL);
    if ((status.st_mode & 0077U) != 0 && ::fchmod(file.get(), 0600) != 0) return std::unexpected(errno);
    return file;
}

std::expected<Fd, int> hold_lock_file(const std::filesystem::path& path) {
    auto file = open_lock_file(path);
    while (file && ::flock(file->get(), LOCK_EX) != 0) {
        if (errno != EINTR) return std::unexpected(errno);
    }
    return file;
}

std::string errno_message(const std::filesystem::path& path, int error) {
    return fmt::format("{}: {}", path.string(), std::generic_category().message(error));
}

std::expected<std::string, std::string> read_descriptor(int fd, const std::string& name, std::size_t limit) {
    std::string text;
    std::array<char, 65536> chunk;
    for (;;) {
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got < 0) {
            if (errno == EINTR) continue;
            return std::unexpected(errno_message(name, errno));
        }
        if (got == 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (text.size() > limit) {
            return std::unexpected(fmt::format("{}: larger than {} bytes", name, limit));
        }
    }
}

std::expected<std::string, std::string> read_file(const std::filesystem::path& path, std::size_t limit,
                                                  FileKind kind) {
    const int nonblocking = kind == FileKind::Regular ? O_NONBLOCK : 0;
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | nonblocking));
    if (!fd) return std::unexpected(errno_message(path, errno));
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return std::unexpected(errno_message(path, errno));
    if (kind == FileKind::Regular && !S_ISREG(status.st_mode)) {
        return std::unexpected(path.string() + ": not a plain file");
    }
    return read_descriptor(fd.get(), path.string(), limit);
}

std::expected<void, std::string> write_file(const std::filesystem::path& path, const std::string& text,
                                            mode_t mode) {
    struct stat before{};
    if (::stat(path.c_str(), &before) == 0) mode = before.st_mode & 07777U;

    std::string beside =
        (path.parent_path() / (std::string(unfinished) + path.filename().string() + ".XXXXXX")).string();
    const Fd fd(::mkostemp(beside.data(), O_CLOEXEC));
    if (!fd) return std::unexpected(errno_message(path.parent_path(), errno));
    auto written = write_all(fd.get(), text, beside);
    if (written && (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0)) {
        written = std::unexpected(errno_message(beside, errno));
    }
    if (written && ::rename(beside.c_str(), path.c_str()) != 0) {
        written = std::unexpected(errno_message(path, errno));
    }
    if (!written) {
        (void)::unlink(beside.c_str());  // Report the first error, not this one.
        return written;
    }
    return sync_directory(path.parent_path());
}

}  // namespace left4me
