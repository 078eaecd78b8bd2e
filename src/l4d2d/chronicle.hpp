#pragma once

#include <boost/asio/thread_pool.hpp>
#include <vector>

#include "adapters/events/record.hpp"
#include "adapters/paths.hpp"

namespace left4me {

/// Writes down what happened, on a thread of its own: who stopped a server by hand is read from the journal,
/// and no other server shall wait for that.
class Chronicle {
  public:
    explicit Chronicle(Paths paths) : paths_(std::move(paths)) {}

    void pass(PassEnd end);
    /// Where there is no revision to make a pass with.
    void events(std::vector<Event> events);

  private:
    Paths paths_;
    boost::asio::thread_pool thread_{1};
};

}  // namespace left4me
