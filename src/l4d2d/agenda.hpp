#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace left4me {

/// What there is to look at. Keys carry no data: whoever takes one looks at all of it.
enum class Key { Fetch, Source, Host };
inline constexpr std::size_t key_count = 3;

/// A queue in which each key is at most once, with the time from which on it is due. Pure: the clock is the
/// caller's.
class Agenda {
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

    /// Something keeps changing: due when it has been quiet for a while, but not put off for ever.
    void put_off(Key key, Time now, Clock::duration quiet, Clock::duration longest) {
        std::optional<Entry>& entry = at(key);
        const bool fresh = !entry || entry->last > now + longest;
        if (fresh) entry = Entry{now + quiet, now + longest};
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

    /// When take() will be true for something.
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
        Time last;  ///< what put_off() may not go beyond
    };

    std::optional<Entry>& at(Key key) { return entries_[static_cast<std::size_t>(key)]; }

    std::array<std::optional<Entry>, key_count> entries_;
};

/// How often to look while things keep changing: at once after a rest, so that drift is repaired in
/// milliseconds; later for as long as looking itself would take most of the time.
class Pace {
  public:
    using Time = Agenda::Time;

    void looked(Time begun, Time ended) {
        next_ = ended + std::clamp<Agenda::Clock::duration>(3 * (ended - begun), shortest, longest);
    }
    Time earliest(Time now) const { return std::max(now, next_); }

    static constexpr std::chrono::milliseconds shortest{10};
    static constexpr std::chrono::milliseconds longest{1000};

  private:
    Time next_{};
};

/// An interval up to a tenth shorter or longer, `chance` being 0 … 1: hosts that began together do not go on
/// together.
inline Agenda::Clock::duration with_jitter(Agenda::Clock::duration interval, double chance) {
    const double factor = 0.9 + 0.2 * chance;
    return std::chrono::duration_cast<Agenda::Clock::duration>(std::chrono::duration<double>(interval) *
                                                               factor);
}

}  // namespace left4me
