#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/follow.hpp"
#include "reconciler/events.hpp"

namespace left4me::operations {

/// What has happened and what happens from now on: to one server, or to everything.
class EventFeed {
  public:
    /// `server`: its name; empty: everything.
    EventFeed(const Context& context, const std::string& server);

    /// All that are kept, the oldest first.
    std::vector<Event> past() const;
    /// Those that have happened since the feed was made, or since this was asked before.
    std::vector<Event> news();
    /// Returns when there may be news, and in any case after `longest`.
    void wait(std::chrono::milliseconds longest) { watch_.wait(longest); }

  private:
    bool is_meant(const Event& event) const;

    Paths paths_;
    std::string subject_;  ///< empty: any
    StateWatch watch_;
    Tail tail_;
};

/// What `events -o json` prints, one line; docs/events.md describes the fields.
std::string event_json(const Event& event);

/// Records that the caller did something to these subjects ("server/comp1"), and why. That it cannot be kept
/// is only a notice.
void record_event(const Context& context, const std::vector<std::string>& subjects, const char* reason,
                  const std::string& message);

}  // namespace left4me::operations
