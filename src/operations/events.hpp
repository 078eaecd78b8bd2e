#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/follow.hpp"
#include "reconciler/events.hpp"

namespace left4me::operations {

/// Past and future events: of one server, or of everything.
class EventFeed {
  public:
    /// `server`: its name; empty: everything.
    EventFeed(const Context& context, const std::string& server);

    /// All stored events, the oldest first.
    std::vector<Event> past() const;
    /// Those that have happened since the feed was created, or since the last call.
    std::vector<Event> news();
    /// Returns when there may be news, and at the latest after `longest`.
    void wait(std::chrono::milliseconds longest) { watch_.wait(longest); }

  private:
    bool is_meant(const Event& event) const;

    Paths paths_;
    std::string subject_;  ///< empty: any
    StateWatch watch_;
    Tail tail_;
};

/// One line of `events -o json`; docs/events.md describes the fields.
std::string event_json(const Event& event);

/// "server/NAME" of each.
std::vector<std::string> server_subjects(const std::vector<std::string>& servers);

/// Records that the caller did something to these subjects ("server/comp1"), and why. Failing to record it is
/// only a notice.
void record_event(const Context& context, const std::vector<std::string>& subjects, const char* reason,
                  const std::string& message);

}  // namespace left4me::operations
