#pragma once

#include <boost/asio/thread_pool.hpp>
#include <vector>

#include "adapters/events/record.hpp"
#include "adapters/paths.hpp"

namespace left4me {

/// Records events on a separate thread: finding out from the journal who stopped a server must not delay
/// other servers.
class EventRecorder {
  public:
    explicit EventRecorder(Paths paths) : paths_(std::move(paths)) {}

    void pass(PassEnd end);
    /// For events without a revision to make a pass with.
    void events(std::vector<Event> events);

  private:
    Paths paths_;
    boost::asio::thread_pool thread_{1};
};

}  // namespace left4me
