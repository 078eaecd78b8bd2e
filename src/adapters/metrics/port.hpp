#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

namespace left4me {

/// Serves GET /metrics on 127.0.0.1, in the caller's event loop, if the Host header is localhost, 127.0.0.1
/// or [::1] with this port (HTTP/1.0 may omit it; browsers never do). Clients that are slow, silent or exceed
/// the limit of 16 are disconnected. Input from clients reaches only the request parser.
class MetricsPort {
  public:
    /// `text` is called for every request. Port 0: any free port, see port().
    static std::expected<std::unique_ptr<MetricsPort>, std::string> open(boost::asio::io_context& io,
                                                                         std::uint16_t port,
                                                                         std::function<std::string()> text);
    MetricsPort(const MetricsPort&) = delete;
    MetricsPort& operator=(const MetricsPort&) = delete;
    /// Closes the port; responses in progress are completed while the loop runs.
    ~MetricsPort();

    std::uint16_t port() const;

  private:
    struct Listener;
    explicit MetricsPort(std::shared_ptr<Listener> listener);

    std::shared_ptr<Listener> listener_;
};

}  // namespace left4me
