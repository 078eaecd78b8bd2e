#include "operations/follow.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

namespace left4me::operations {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds without_inotify{1000};

}  // namespace

StateWatch::StateWatch(const Paths& paths) : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (inotify_ && ::inotify_add_watch(inotify_.get(), paths.status().c_str(),
                                        IN_MOVED_TO | IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0) {
        inotify_.reset();
    }
}

void StateWatch::wait(milliseconds longest) {
    if (!inotify_) {
        std::this_thread::sleep_for(std::min(longest, without_inotify));
        return;
    }
    pollfd waiting{inotify_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(longest.count())) <= 0) return;
    alignas(inotify_event) std::array<char, 4096> ignored{};
    while (::read(inotify_.get(), ignored.data(), ignored.size()) > 0) {
    }
}

Tail::Tail(std::filesystem::path path)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_) (void)::lseek(file_.get(), 0, SEEK_END);
}

void Tail::read_rest(std::vector<std::string>& lines) {
    std::array<char, 65536> buffer{};
    for (;;) {
        const ssize_t got = ::read(file_.get(), buffer.data(), buffer.size());
        if (got <= 0) break;
        partial_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    for (std::size_t end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
        lines.push_back(partial_.substr(0, end));
        partial_.erase(0, end + 1);
    }
}

std::vector<std::string> Tail::new_lines() {
    std::vector<std::string> lines;
    if (file_) read_rest(lines);
    struct stat opened{};
    struct stat named{};
    if (::stat(path_.c_str(), &named) != 0) return lines;
    if (file_ && ::fstat(file_.get(), &opened) == 0 && opened.st_ino == named.st_ino) return lines;
    file_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    partial_.clear();
    if (file_) read_rest(lines);
    return lines;
}

}  // namespace left4me::operations
