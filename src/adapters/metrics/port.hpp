#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

namespace left4me {

/// Answers GET /metrics on 127.0.0.1, in the event loop of whoever owns it, when the Host header is
/// localhost, 127.0.0.1 or [::1] with this port (HTTP/1.0 may leave it out: no browser does). A client that
/// is slow, silent or one of too many (16) is let go of; nothing that a client sends gets further than the
/// parser of its request.
class MetricsPort {
  public:
    /// `text` is asked anew for every request. Port 0: any that is free, see port().
    static std::expected<std::unique_ptr<MetricsPort>, std::string> open(boost::asio::io_context& io,
                                                                         std::uint16_t port,
                                                                         std::function<std::string()> text);
    MetricsPort(const MetricsPort&) = delete;
    MetricsPort& operator=(const MetricsPort&) = delete;
    /// Closes the port; answers that are under way still end while the loop runs.
    ~MetricsPort();

    std::uint16_t port() const;

  private:
    struct Listener;
    explicit MetricsPort(std::shared_ptr<Listener> listener);

    std::shared_ptr<Listener> listener_;
};

}  // namespace left4me
