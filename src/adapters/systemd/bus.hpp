#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/readiness.hpp"
#include "adapters/systemd/sdbus_compat.hpp"

namespace left4me {

/// A D-Bus error, or the connection's own ("left4me.Disconnected").
struct BusError {
    std::string name;
    std::string message;
};

inline constexpr const char* disconnected_error = "left4me.Disconnected";

/// The system bus, driven by hand: calls are sent without waiting, and replies are processed while somebody
/// waits, so any number of calls costs one round trip. Exceptions of sdbus-c++ are caught here.
class Bus {
  public:
    static std::expected<std::unique_ptr<Bus>, BusError> open();

    using Write = std::function<void(sdbus::MethodCall&)>;
    /// `error` is null if `reply` is valid.
    using OnReply = std::function<void(sdbus::MethodReply& reply, const BusError* error)>;

    struct Method {
        const char* service;
        std::string path;
        const char* interface;
        const char* name;
    };
    void call(const Method& method, const Write& write, OnReply on_reply,
              std::chrono::seconds timeout = std::chrono::seconds(90));

    /// Matched before this returns, for the lifetime of the bus.
    std::expected<void, BusError> watch(const Method& signal, std::function<void(sdbus::Signal&)> on_signal);

    /// Calls `on_match` with the object path of every message that matches a rule (sd_bus_add_match(3)).
    std::expected<void, BusError> match(const std::string& rule,
                                        std::function<void(const std::string& path)> on_match);

    /// Processes pending messages without waiting for more.
    std::expected<void, BusError> process();
    /// When process() should be called again.
    Readiness readiness() const;

    /// Processes messages until `done` returns true, or until none has arrived for `timeout` (then false).
    std::expected<bool, BusError> wait_until(const std::function<bool()>& done,
                                             std::chrono::milliseconds timeout = std::chrono::hours(24));

    /// Like wait_until(), for replies to calls that were sent together; counts as one round trip.
    std::expected<void, BusError> round_trip(const std::function<bool()>& answered);

    void count_round_trip() { ++round_trips_; }
    std::uint64_t round_trips() const { return round_trips_; }

  private:
    explicit Bus(std::unique_ptr<sdbus::IConnection> connection) : connection_(std::move(connection)) {}
    void send_more();
    bool wait_for_input(std::chrono::milliseconds timeout) const;
    void forget_answered();

    std::unique_ptr<sdbus::IConnection> connection_;
    std::vector<std::unique_ptr<sdbus::IProxy>> watching_;
    std::vector<std::unique_ptr<sdbus::IProxy>> calling_;  ///< each lives until all calls are answered
    /// The bus allows a limited number of pending calls per connection (128 on Debian) and refuses more.
    std::deque<std::function<void()>> waiting_to_be_sent_;
    std::size_t unanswered_ = 0;
    std::uint64_t round_trips_ = 0;
};

}  // namespace left4me
