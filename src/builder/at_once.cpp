#include "builder/at_once.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace left4me::builder {

namespace {

/// An exception would end the program from within a thread.
Built<void> call(const std::function<Built<void>(std::size_t)>& work, std::size_t index) {
    try {
        return work(index);
    } catch (const std::bad_alloc&) {
        return std::unexpected(BuildError{BuildFailureKind::OutOfMemory, "there is not enough memory"});
    } catch (const std::exception& exception) {
        return std::unexpected(BuildError{BuildFailureKind::IOError, exception.what()});
    }
}

}  // namespace

Built<void> for_each_at_once(std::size_t count, unsigned at_once, std::stop_source& stop,
                             const std::function<Built<void>(std::size_t index)>& work) {
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::optional<BuildError> first_error;
    const auto run = [&] {
        for (std::size_t index = next++; index < count && !stop.stop_requested(); index = next++) {
            auto done = call(work, index);
            if (done) continue;
            const std::lock_guard lock(mutex);
            if (!first_error) first_error = std::move(done.error());
            stop.request_stop();
        }
    };
    {
        std::vector<std::jthread> others;
        try {
            while (others.size() + 1 < std::min<std::size_t>(at_once, count)) others.emplace_back(run);
        } catch (const std::system_error&) {
            // No more threads: those that there are do it all.
        }
        run();
    }
    if (first_error) return std::unexpected(*std::move(first_error));
    return {};
}

}  // namespace left4me::builder
