#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/readiness.hpp"
#include "reconciler/host.hpp"

namespace left4me {

/// Works on files on a separate thread, one batch after another, so that copying gigabytes delays nobody.
class Worker {
  public:
    /// Runs on the other thread: it must own all its data, or the data must outlive it and not change.
    using Batch = std::function<std::vector<Outcome>()>;

    Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    /// Waits for the current batch; queued ones are dropped.
    ~Worker();

    void begin(Batch batch);
    /// What has ended since the last call; never blocks.
    std::vector<Outcome> poll_completions();
    bool idle() const { return batches_ == 0; }
    Readiness readiness() const { return {.fd = ended_event_.get(), .events = POLLIN, .timeout = {}}; }

  private:
    void run();

    Fd ended_event_;           ///< eventfd(2): readable while `ended_` holds something
    std::size_t batches_ = 0;  ///< begun, and not yet polled
    std::mutex mutex_;         ///< guards the following members
    std::condition_variable work_or_end_;
    std::deque<Batch> waiting_;
    std::deque<std::vector<Outcome>> ended_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace left4me
