#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "adapters/readiness.hpp"

namespace left4me {

/// Calls back when a descriptor of another owner is ready. The owner may close and reopen it at any time:
/// this class waits on a duplicate.
class Wakeup {
  public:
    Wakeup(boost::asio::io_context& io, std::function<void()> wake)
        : descriptor_(io), wake_(std::move(wake)) {}
    Wakeup(const Wakeup&) = delete;
    Wakeup& operator=(const Wakeup&) = delete;

    /// Waits once; call it again after each callback. The caller handles the timeout.
    void arm(const Readiness& awaited);

  private:
    void wait(boost::asio::posix::stream_descriptor::wait_type type, bool& waiting);

    boost::asio::posix::stream_descriptor descriptor_;
    std::function<void()> wake_;
    Readiness of_;  ///< the descriptor that was duplicated
    bool reading_ = false;
    bool writing_ = false;
    bool minding_ = false;  ///< POLLPRI
};

}  // namespace left4me
