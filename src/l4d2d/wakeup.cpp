#include "l4d2d/wakeup.hpp"

#include <fcntl.h>
#include <poll.h>

#include <utility>

namespace left4me {

void Wakeup::arm(const Readiness& awaited) {
    // Comparing inodes does not work: all inotify instances and eventfds share one.
    if (awaited.fd != of_.fd || awaited.instance != of_.instance || !descriptor_.is_open()) {
        boost::system::error_code ignored;
        if (descriptor_.is_open()) descriptor_.close(ignored);
        reading_ = writing_ = minding_ = false;
        of_ = awaited;
        if (awaited.fd < 0) return;
        const int duplicate = fcntl(awaited.fd, F_DUPFD_CLOEXEC, 3);
        if (duplicate < 0) return;
        descriptor_.assign(duplicate);
    }
    using Type = boost::asio::posix::stream_descriptor::wait_type;
    if ((awaited.events & POLLIN) != 0) wait(Type::wait_read, reading_);
    if ((awaited.events & POLLOUT) != 0) wait(Type::wait_write, writing_);
    if ((awaited.events & POLLPRI) != 0) wait(Type::wait_error, minding_);
}

void Wakeup::wait(boost::asio::posix::stream_descriptor::wait_type type, bool& waiting) {
    if (std::exchange(waiting, true)) return;
    descriptor_.async_wait(type, [this, &waiting](const boost::system::error_code& error) {
        // Closed and re-armed meanwhile: the new wait has its own callback.
        if (error == boost::asio::error::operation_aborted) return;
        waiting = false;
        wake_();
    });
}

}  // namespace left4me
