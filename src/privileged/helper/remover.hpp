#pragma once

#include <systemd/sd-event.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace left4me::helper {

/// Removes trees beneath the runtime directory on a separate thread, so that a tree with millions of files
/// delays nobody. Trees take turns. The next helper removes what is left when the process exits.
class Remover {
  public:
    /// Empty: the tree is gone. Called on the event loop's thread.
    using OnDone = std::function<void(const std::string& error)>;

    explicit Remover(sd_event* event);
    ~Remover();
    Remover(const Remover&) = delete;
    Remover& operator=(const Remover&) = delete;

    /// `name` is an entry of the runtime directory that nobody else uses any more.
    void remove(std::string name, OnDone on_done);

  private:
    struct Task {
        std::string name;
        OnDone on_done;
        std::string error;
    };
    void work(const std::stop_token& stop);
    void deliver();

    int wakeup_ = -1;  ///< eventfd: something is in done_
    sd_event_source* source_ = nullptr;
    std::mutex mutex_;  ///< protects the two lists
    std::condition_variable_any more_;
    std::deque<Task> waiting_;
    std::vector<Task> done_;
    std::jthread worker_;  ///< last member: ends before the members that it uses
};

}  // namespace left4me::helper
