#include "l4d2d/telemetry.hpp"

#include <algorithm>
#include <utility>

#include "adapters/metrics/metrics.hpp"
#include "adapters/metrics/textfile.hpp"
#include "l4d2d/notify.hpp"

namespace left4me {

namespace {

constexpr std::chrono::seconds between_files{1};

}  // namespace

std::expected<void, std::string> Telemetry::configure(const Config& config) {
    textfile_ = config.metrics_textfile;
    port_.reset();
    if (config.metrics_port == 0) return {};
    auto opened = MetricsPort::open(io_, config.metrics_port, [this] { return text(); });
    if (!opened) return std::unexpected(opened.error());
    port_ = std::move(*opened);
    return {};
}

void Telemetry::enqueued(Clock::time_point now) {
    counters_.added();
    if (!wished_) wished_ = now;
    counters_.depth(1);
}

void Telemetry::began(Clock::time_point now) {
    counters_.depth(0);
    counters_.began(now - std::exchange(wished_, std::nullopt).value_or(now));
    began_ = now;
}

void Telemetry::failed(Clock::time_point now) {
    counters_.ended(now - began_, Counters::Result::Error);
    counters_.retried();
}

void Telemetry::ended(Clock::time_point now, const Intent& intent, const StepResult& step,
                      std::span<const Event> events, const Status& status, const std::string& source) {
    using Result = Counters::Result;
    const bool acts = std::any_of(step.difference.actions.begin(), step.difference.actions.end(),
                                  [](const Action& action) { return is_effect(action.verb); });
    counters_.ended(now - began_, acts        ? Result::Requeue
                                  : step.wake ? Result::RequeueAfter
                                              : Result::Success);
    counters_.actions(step.ended.plan, step.ended.outcomes);
    if (textfile_.empty() && !port_) return;
    counters_.events(events);
    desired_ = step.target.desired;
    intent_ = intent;
    status_ = status;
    difference_ = step.difference;
    source_ = source;
    took_ = now - began_;
    players_ = players_of(step.observed);
    ticks_ = ticks_of(step.observed);
    write_file(now);
}

std::string Telemetry::text() const {
    return metrics_text({*desired_, intent_, status_, difference_, source_, took_, players_, ticks_},
                        &counters_);
}

void Telemetry::write_file(Clock::time_point now) {
    if (textfile_.empty() || now - written_ < between_files) return;
    written_ = now;
    const auto wrote = write_textfile(textfile_, text());
    const std::string error = wrote ? std::string() : wrote.error();
    if (!error.empty() && error != file_error_) log(Level::Warning, error);
    file_error_ = error;
}

}  // namespace left4me
