#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/paths.hpp"
#include "adapters/trigger/messages.hpp"

namespace left4me {

/// The daemon's end of run/daemon/trigger, in the daemon's event loop. Bounded: 32 followers, one request of
/// 4096 bytes from each within five seconds, one report that is being sent and one that waits for each; a
/// follower that has missed 10,000 outcomes is dropped.
class TriggerServer {
  public:
    /// Called with each request, before anything is reported to whoever made it. `actor` is believed if root
    /// or the user of this process says it; of everybody else it is the name of the peer, SO_PEERCRED,
    /// unix(7).
    using OnTrigger = std::function<void(const TriggerRequest&)>;

    /// `group` may connect, besides root and the socket's owner; if this process may not give the socket to
    /// that group, only those two.
    static std::expected<std::unique_ptr<TriggerServer>, std::string> open(boost::asio::io_context& io,
                                                                           const Paths& paths,
                                                                           std::optional<gid_t> group,
                                                                           OnTrigger on_trigger);
    TriggerServer(const TriggerServer&) = delete;
    TriggerServer& operator=(const TriggerServer&) = delete;
    /// Closes the socket and all connections.
    ~TriggerServer();

    /// Reports a step to all followers. The source has been read since every request that came until now.
    void report(const StepReport& report);

  private:
    struct Listener;
    explicit TriggerServer(std::shared_ptr<Listener> listener);

    std::shared_ptr<Listener> listener_;
};

}  // namespace left4me
