#include "adapters/store/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/store/files.hpp"

namespace left4me {

namespace {

constexpr std::chrono::milliseconds retry{10};

std::unexpected<std::string> lock_error(const std::filesystem::path& path) {
    if (errno == EACCES) {
        return std::unexpected(
            fmt::format("{} belongs to another user; run this as root or as left4me", path.string()));
    }
    return store::io_error(path.string());
}

/// The process that took the lock, from /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 00:1a:12345 0 EOF". 0:
/// not visible from here. Waiting processes have "->" after the first column.
pid_t find_holder(int file) {
    struct stat status{};
    if (::fstat(file, &status) != 0) return 0;
    const std::string wanted =
        fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line);
        std::string number, kind, advice, access, place;
        pid_t pid = 0;
        if (words >> number >> kind >> advice >> access >> pid >> place && kind == "FLOCK" && place == wanted)
            return pid;
    }
    return 0;
}

/// Who holds the lock. The file contains the text of the holder, or of an earlier one that was killed: it
/// counts only if the kernel names the same process.
std::string describe_holder(int file) {
    const pid_t pid = find_holder(file);
    if (pid == 0) return "another process";
    std::array<char, 256> text{};
    const ssize_t got = ::pread(file, text.data(), text.size(), 0);
    std::string words(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    words.resize(std::min(words.find('\n'), words.size()));
    const std::string process = fmt::format("pid {}", pid);
    return words.ends_with(", " + process) ? words : process;
}

/// The text is only informative; the lock is what counts.
void write_holder(int file, const std::string& purpose) {
    const std::string words = fmt::format("{}, pid {}\n", purpose, ::getpid());
    if (::ftruncate(file, 0) != 0) return;
    [[maybe_unused]] const ssize_t written = ::pwrite(file, words.data(), words.size(), 0);
}

std::expected<Fd, std::string> open_lock(const std::filesystem::path& path) {
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    auto file = open_lock_file(path);
    if (file) return std::move(*file);
    errno = file.error();
    return lock_error(path);
}

}  // namespace

std::expected<PassLock, std::string> PassLock::acquire(
    const Paths& paths, const std::string& purpose, const std::function<void(const std::string&)>& waiting) {
    return acquire_file(paths.lock(), purpose, waiting);
}

std::expected<PassLock, std::string> PassLock::acquire_for_edit(
    const Paths& paths, const std::string& purpose, const std::function<void(const std::string&)>& waiting) {
    return acquire_file(paths.source_lock(), purpose, waiting);
}

std::string PassLock::holder(const Paths& paths) {
    const auto file = open_lock(paths.lock());
    return file ? describe_holder(file->get()) : "another process";
}

std::expected<std::optional<PassLock>, std::string> PassLock::try_acquire(const Paths& paths,
                                                                          const std::string& purpose) {
    auto file = open_lock(paths.lock());
    if (!file) return std::unexpected(file.error());
    if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return lock_error(paths.lock());
        return std::nullopt;
    }
    write_holder(file->get(), purpose);
    return PassLock(file->release());
}

std::expected<PassLock, std::string> PassLock::acquire_file(
    const std::filesystem::path& path, const std::string& purpose,
    const std::function<void(const std::string&)>& waiting) {
    auto file = open_lock(path);
    if (!file) return std::unexpected(file.error());
    if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return lock_error(path);
        const auto tell = std::chrono::steady_clock::now() + PassLock::worth_telling;
        while (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR) return lock_error(path);
            if (std::chrono::steady_clock::now() >= tell) {
                if (waiting) waiting(describe_holder(file->get()));
                break;
            }
            std::this_thread::sleep_for(retry);
        }
        while (::flock(file->get(), LOCK_EX) != 0) {
            if (errno != EINTR) return lock_error(path);
        }
    }
    write_holder(file->get(), purpose);
    return PassLock(file->release());
}

PassLock::PassLock(PassLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

PassLock& PassLock::operator=(PassLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

PassLock::~PassLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace left4me
