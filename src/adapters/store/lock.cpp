#include "adapters/store/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/store/files.hpp"

namespace left4me {

namespace {

std::unexpected<std::string> lock_error(const std::filesystem::path& path) {
    if (errno == EACCES) {
        return std::unexpected(
            fmt::format("{} belongs to another user; run this as root or as left4me", path.string()));
    }
    return store::io_error(path.string());
}

/// Who holds the lock, in their own words. Old words may still stand there when the lock was just let go of:
/// only for people.
std::string read_holder(int file) {
    std::array<char, 256> text{};
    const ssize_t got = ::pread(file, text.data(), text.size(), 0);
    std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    holder.resize(std::min(holder.find('\n'), holder.size()));
    return holder.empty() ? "somebody else" : holder;
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

std::expected<PassLock, std::string> PassLock::acquire_file(
    const std::filesystem::path& path, const std::string& purpose,
    const std::function<void(const std::string&)>& waiting) {
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) return lock_error(path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return lock_error(path);
        if (waiting) waiting(read_holder(file.get()));
        while (::flock(file.get(), LOCK_EX) != 0) {
            if (errno != EINTR) return lock_error(path);
        }
    }
    const std::string words = fmt::format("{}, pid {}\n", purpose, ::getpid());
    if (::ftruncate(file.get(), 0) == 0) {
        (void)::pwrite(file.get(), words.data(), words.size(),
                       0);  // the words are a courtesy, the lock is what counts
    }
    return PassLock(file.release());
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
