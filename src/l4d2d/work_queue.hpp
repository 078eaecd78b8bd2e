#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace left4me {

/// What there is to do. Keys carry no data: whoever takes one observes all of it.
enum class Key { Fetch, Source, Host };
inline constexpr std::size_t key_count = 3;

/// A queue that holds each key at most once, with its due time. Pure: the caller passes the time.
class WorkQueue {
  public:
    using Clock = std::chrono::steady_clock;
    using Time = Clock::time_point;

    /// Due at `when`, unless it is due earlier already.
    void add(Key key, Time when) {
        std::optional<Entry>& entry = at(key);
        if (!entry) {
            entry = Entry{when, when};
        } else {
            entry->due = std::min(entry->due, when);
        }
    }

    /// For a source that keeps changing: due when it has been quiet for a while, but not delayed forever.
    void put_off(Key key, Time now, Clock::duration quiet, Clock::duration max_interval) {
        std::optional<Entry>& entry = at(key);
        const bool fresh = !entry || entry->last > now + max_interval;
        if (fresh) entry = Entry{now + quiet, now + max_interval};
        entry->due = std::min(now + quiet, entry->last);
    }

    /// True once for each key that is due.
    bool take(Key key, Time now) {
        std::optional<Entry>& entry = at(key);
        if (!entry || entry->due > now) return false;
        entry.reset();
        return true;
    }

    bool has(Key key) const { return entries_[static_cast<std::size_t>(key)].has_value(); }

    /// When take() will next return true for some key.
    std::optional<Time> next() const {
        std::optional<Time> next;
        for (const std::optional<Entry>& entry : entries_) {
            if (entry) next = next ? std::min(*next, entry->due) : entry->due;
        }
        return next;
    }

  private:
    struct Entry {
        Time due;
        Time last;  ///< put_off() does not delay beyond this
    };

    std::optional<Entry>& at(Key key) { return entries_[static_cast<std::size_t>(key)]; }

    std::array<std::optional<Entry>, key_count> entries_;
};

/// Limits how often the host is observed: immediately after a pause, so that drift is repaired in
/// milliseconds; less often while observing would otherwise take most of the time.
class RateLimiter {
  public:
    using Time = WorkQueue::Time;

    void finished(Time begun, Time ended) {
        next_ =
            ended + std::clamp<WorkQueue::Clock::duration>(3 * (ended - begun), min_interval, max_interval);
    }
    Time earliest(Time now) const { return std::max(now, next_); }

    static constexpr std::chrono::milliseconds min_interval{10};
    static constexpr std::chrono::milliseconds max_interval{1000};

  private:
    Time next_{};
};

/// An interval up to a tenth shorter or longer, for a `chance` of 0 … 1, so that hosts that started together
/// do not stay in step.
inline WorkQueue::Clock::duration with_jitter(WorkQueue::Clock::duration interval, double chance) {
    const double factor = 0.9 + 0.2 * chance;
    return std::chrono::duration_cast<WorkQueue::Clock::duration>(std::chrono::duration<double>(interval) *
                                                                  factor);
}

}  // namespace left4me
