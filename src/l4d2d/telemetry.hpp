#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "adapters/config/config.hpp"
#include "adapters/metrics/counters.hpp"
#include "adapters/metrics/port.hpp"
#include "reconciler/engine.hpp"

namespace left4me {

/// The daemon's metrics for Prometheus: the counters, and the state of the host after the last step.
class Telemetry {
  public:
    using Clock = std::chrono::steady_clock;

    explicit Telemetry(boost::asio::io_context& io) : io_(io) {}

    /// The error is the port's; everything else works.
    std::expected<void, std::string> configure(const Config& config);

    /// A reconcile was requested; its queue time begins with the first request since the last one.
    void enqueued(Clock::time_point now);
    void began(Clock::time_point now);
    void failed(Clock::time_point now);
    void ended(Clock::time_point now, const Intent& intent, const StepResult& step,
               std::span<const Event> events, const Status& status, const std::string& source);

  private:
    std::string text() const;
    void write_file(Clock::time_point now);

    boost::asio::io_context& io_;
    std::filesystem::path textfile_;
    std::unique_ptr<MetricsPort> port_;
    Counters counters_;
    std::optional<Clock::time_point> wished_;
    Clock::time_point began_{};
    Clock::time_point written_{};
    std::string file_error_;
    // The state of the host after the last step.
    std::shared_ptr<const Desired> desired_ = std::make_shared<const Desired>();
    Intent intent_;
    Status status_;
    Plan difference_;
    std::string source_;
    std::chrono::duration<double> took_{};
    std::map<std::string, ObservedPlayers> players_;
    std::map<std::string, ObservedTick> ticks_;
};

}  // namespace left4me
