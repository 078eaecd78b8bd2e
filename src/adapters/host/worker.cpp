#include "adapters/host/worker.hpp"

#include <sched.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace left4me {

Worker::Worker() : ended_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!ended_event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Worker::~Worker() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        waiting_.clear();
    }
    work_or_end_.notify_one();
    thread_.join();
}

void Worker::begin(Batch batch) {
    ++batches_;
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(batch));
    }
    // Most processes never need it.
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    work_or_end_.notify_one();
}

void Worker::run() {
    // The store sets exact modes through the umask, which threads share by default.
    (void)unshare(CLONE_FS);
    std::unique_lock lock(mutex_);
    for (;;) {
        work_or_end_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (ending_) return;
        const Batch batch = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        std::vector<Outcome> outcomes = batch();
        lock.lock();
        ended_.push_back(std::move(outcomes));
        (void)eventfd_write(ended_event_.get(), 1);
    }
}

std::vector<Outcome> Worker::poll_completions() {
    eventfd_t count = 0;
    if (eventfd_read(ended_event_.get(), &count) != 0) return {};
    const std::lock_guard lock(mutex_);
    std::vector<Outcome> outcomes;
    for (std::vector<Outcome>& batch : ended_) {
        --batches_;
        std::move(batch.begin(), batch.end(), std::back_inserter(outcomes));
    }
    ended_.clear();
    return outcomes;
}

}  // namespace left4me
