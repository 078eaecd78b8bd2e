#include "privileged/helper/remover.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>

#include "adapters/remove_tree.hpp"
#include "privileged/helper/mounted.hpp"

namespace left4me::helper {
namespace {

/// How long to work on one tree before the next one, or before checking whether the helper should exit.
constexpr std::chrono::milliseconds turn{50};

std::expected<bool, std::string> take_turn(const std::string& name) {
    const int runtime = ::open(runtime_directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (runtime < 0) {
        if (errno == ENOENT) return true;
        return std::unexpected(std::string(runtime_directory) + ": " + std::strerror(errno));
    }
    auto removed = remove_tree(runtime, name, std::chrono::steady_clock::now() + turn);
    (void)::close(runtime);
    return removed;
}

}  // namespace

Remover::Remover(sd_event* event) : wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    const auto on_wakeup = [](sd_event_source*, int, std::uint32_t, void* self) {
        static_cast<Remover*>(self)->deliver();
        return 0;
    };
    if (wakeup_ >= 0) (void)sd_event_add_io(event, &source_, wakeup_, EPOLLIN, on_wakeup, this);
}

Remover::~Remover() {
    if (worker_.joinable()) {
        worker_.request_stop();
        worker_.join();
    }
    sd_event_source_unref(source_);
    if (wakeup_ >= 0) (void)::close(wakeup_);
}

void Remover::remove(std::string name, OnDone on_done) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({.name = std::move(name), .on_done = std::move(on_done), .error = {}});
    }
    more_.notify_one();
    if (!worker_.joinable()) worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void Remover::work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (more_.wait(lock, stop, [this] { return !waiting_.empty(); }) && !stop.stop_requested()) {
        Task task = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        const auto removed = take_turn(task.name);
        if (!removed) task.error = removed.error();
        lock.lock();
        if (removed && !*removed) {
            waiting_.push_back(std::move(task));
            continue;
        }
        // The callback, and what it releases, belong to the event loop's thread.
        done_.push_back(std::move(task));
        constexpr std::uint64_t one = 1;
        (void)!::write(wakeup_, &one, sizeof one);
    }
}

void Remover::deliver() {
    std::uint64_t count = 0;
    (void)!::read(wakeup_, &count, sizeof count);
    std::vector<Task> done;
    {
        const std::lock_guard lock(mutex_);
        done.swap(done_);
    }
    for (const Task& task : done) task.on_done(task.error);
}

}  // namespace left4me::helper
