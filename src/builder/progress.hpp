#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "adapters/store/build_files.hpp"

namespace left4me::builder {

/// Writes the progress of the build, at most twice a second. Failing to write it does not fail the build.
/// Several threads may each be at one of several things: what is written is about the first of these.
class Progress {
  public:
    explicit Progress(int build_directory) : directory_(build_directory) {}
    ~Progress() { store::remove_progress(directory_); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Of a phase: everything counts from zero. Totals may be 0: unknown.
    void begin(BuildPhase phase, std::uint64_t total_bytes, std::uint64_t total_files,
               const std::string& input) {
        const std::lock_guard lock(mutex_);
        BuildProgress& now = mine();
        now = {0, total_bytes, 0, total_files, input, phase, now.item, now.items, now.item_name};
        write();
    }
    /// What the following phases are about: one of several things, as BuildProgress::item.
    void item(std::uint64_t number, std::uint64_t of, const std::string& name) {
        const std::lock_guard lock(mutex_);
        BuildProgress& now = mine();
        now.item = number;
        now.items = of;
        now.item_name = name;
    }
    /// This thread has nothing more to tell.
    void leave() {
        const std::lock_guard lock(mutex_);
        now_.erase(std::this_thread::get_id());
    }
    /// Of a phase that has no other measure.
    void elapsed(std::chrono::seconds time) {
        update([time](BuildProgress& now) { now.elapsed = time; });
    }
    void total_bytes(std::uint64_t total) {
        update([total](BuildProgress& now) { now.total_bytes = total; });
    }
    /// All bytes so far.
    void at(std::uint64_t bytes) {
        update([bytes](BuildProgress& now) { now.bytes = bytes; });
    }
    void bytes(std::uint64_t more) {
        update([more](BuildProgress& now) { now.bytes += more; });
    }
    void file() {
        update([](BuildProgress& now) { ++now.files; });
    }

  private:
    using Clock = std::chrono::steady_clock;

    BuildProgress& mine() { return now_[std::this_thread::get_id()]; }

    template <typename Change>
    void update(Change change) {
        const std::lock_guard lock(mutex_);
        change(mine());
        if (Clock::now() - written_ >= std::chrono::milliseconds(500)) write();
    }
    void write() {
        written_ = Clock::now();
        const auto first = std::min_element(now_.begin(), now_.end(), [](const auto& one, const auto& other) {
            return one.second.item < other.second.item;
        });
        if (first != now_.end()) (void)store::write_progress(directory_, first->second);
    }

    int directory_;
    std::mutex mutex_;  ///< of the following
    std::map<std::thread::id, BuildProgress> now_;
    Clock::time_point written_;
};

}  // namespace left4me::builder
