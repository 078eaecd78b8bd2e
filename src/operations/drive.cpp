#include "operations/drive.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "adapters/events/record.hpp"
#include "adapters/metrics/metrics.hpp"
#include "adapters/metrics/textfile.hpp"
#include "adapters/sources/manifests.hpp"
#include "adapters/store/clock.hpp"
#include "adapters/store/requests.hpp"
#include "adapters/store/status_file.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// While somebody else decides.
constexpr auto lock_retry = 20ms;
// Observing takes at most half of the time, however many servers end at once.
constexpr auto shortest_pause = 10ms;
constexpr auto max_pause = 250ms;
// What others have begun ends without a job of ours.
constexpr auto look_again = 1s;

class Drive {
  public:
    Drive(Context& context, Interruption& interruption, bool retry_now)
        : context_(context),
          interruption_(interruption),
          retry_now_(retry_now),
          manifests_(context.paths, context.config),
          status_file_(context.paths) {}

    Result<StepReport> step();
    /// While only units are under way, others may decide.
    void release() {
        if (!lock_ || engine_->changes_files()) return;
        engine_->drop_waiting();
        lock_.reset();
    }
    /// Until a step would see something new.
    Result<void> wait(const std::function<void()>& on_wait);
    bool busy() const { return engine_ && engine_->busy(); }
    void write_metrics(const StepReport& report) const;

  private:
    Result<void> lock();
    /// With systemd, when there is something to ask it for.
    Result<void> connect();
    Result<StepReport> report_source();
    void follow_clock();
    void record(const StepResult& step);

    Context& context_;
    Interruption& interruption_;
    bool retry_now_;
    std::optional<TimePoint> retry_before_;  ///< Intent's: since the first step
    ClockMark clock_;
    std::optional<PassLock> lock_;  ///< held until the machine has ended what it does to files
    std::unique_ptr<SystemdHost> machine_;
    std::optional<Engine> engine_;
    Manifests manifests_;
    StatusFile status_file_;
    std::map<std::string, ObservedPlayers> players_;  ///< as of the last step
    std::map<std::string, ObservedTick> ticks_;       ///< the same
    bool changed_ = false;
    Clock::time_point began_ = Clock::now();
    Clock::time_point stepped_{};
    Clock::time_point next_{};
};

Result<void> Drive::lock() {
    if (lock_) return {};
    const auto tell = Clock::now() + PassLock::worth_telling;
    for (bool told = false;;) {
        auto lock = PassLock::try_acquire(context_.paths, context_.purpose);
        if (!lock) return fail(ErrorKind::StateFailed, lock.error());
        if (*lock) {
            lock_ = std::move(**lock);
            return {};
        }
        if (!told && Clock::now() >= tell) {
            context_.notice("waiting for " + PassLock::holder(context_.paths) + " to finish its pass");
            told = true;
        }
        Readiness pause = interruption_.readiness();
        pause.timeout = lock_retry;
        wait_for_any({pause});
        if (interruption_.came()) return interrupted();
    }
}

Result<void> Drive::connect() {
    if (engine_) return {};
    auto machine = operations::connect(context_);
    if (!machine) return std::unexpected(machine.error());
    machine_ = std::move(*machine);
    machine_->units().subscribe([this] { changed_ = true; });
    engine_.emplace(*machine_, Status{});
    return {};
}

/// Setting the clock makes no later failure an earlier one.
void Drive::follow_clock() {
    const ClockMark now = read_clock();
    if (retry_before_) {
        *retry_before_ += jump_between(clock_, now);
    } else if (retry_now_) {
        retry_before_ = now.wall;
    }
    clock_ = now;
}

Result<StepReport> Drive::step() {
    if (auto locked = lock(); !locked) return std::unexpected(locked.error());
    const auto now = Clock::now();
    changed_ = false;
    manifests_.read();
    if (!manifests_.desired()) return report_source();
    if (auto connected = connect(); !connected) return std::unexpected(connected.error());
    if (auto status = status_file_.read_if_changed()) engine_->set_status(*std::move(status));
    follow_clock();
    Intent intent = manifests_.intent();
    intent.retry_before = retry_before_;
    auto step = engine_->step(
        {manifests_.desired(), std::move(intent), manifests_.error(), context_.config.keep_artifacts});
    if (!step) return fail(ErrorKind::HostUnavailable, step.error());
    players_ = players_of(step->observed);
    ticks_ = ticks_of(step->observed);
    if (auto saved = status_file_.save(engine_->status()); !saved)
        return fail(ErrorKind::StateFailed, saved.error());
    if (manifests_.intent().has_requests()) {
        const auto dropped =
            drop_finished_requests(context_.paths, step->target, step->observed, step->difference);
        if (!dropped) context_.notice("requests that are over stay: " + dropped.error());
    }
    StepReport report = report_of(*step, engine_->open_actions());
    report.error_kind = manifests_.trouble();
    report.source_error = manifests_.error();
    report.seen = true;
    release();
    record(*step);
    stepped_ = Clock::now();
    next_ = stepped_ + std::clamp<Clock::duration>(stepped_ - now, shortest_pause, max_pause);
    return report;
}

/// There is no revision to make a step with: the trouble is remembered all the same.
Result<StepReport> Drive::report_source() {
    StepReport report;
    report.error_kind = manifests_.trouble();
    report.source_error = manifests_.error();
    report.seen = true;
    const Status before = load_status(context_.paths);
    if (before.source_error == report.source_error) return report;
    Status status = before;
    status.source_error = report.source_error;
    status.last_pass = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    if (auto saved = save_status(context_.paths, status); !saved)
        context_.notice("the status could not be kept: " + saved.error());
    if (auto recorded = left4me::record(context_.paths, events_of(before, {}, {}, {}, {}, status),
                                        actor_of(context_.caller));
        !recorded)
        context_.notice("the event could not be recorded: " + recorded.error());
    return report;
}

/// The step has done what it could: failing to record it is only a warning.
void Drive::record(const StepResult& step) {
    if (step.ended.outcomes.empty() && says_the_same(step.before, engine_->status())) return;
    PassEnd end = end_of_pass(step.before, step.target.revision(), manifests_.intent(), step.ended,
                              step.difference, engine_->status());
    end.revisions = manifests_.revisions();
    end.actor = actor_of(context_.caller);
    if (auto recorded = record_pass(context_.paths, std::move(end)); !recorded)
        context_.notice("the events of this pass could not be recorded: " + recorded.error());
}

Result<void> Drive::wait(const std::function<void()>& on_wait) {
    for (;;) {
        if (engine_->poll_completions()) changed_ = true;
        if (machine_->drain()) changed_ = true;
        release();
        if (interruption_.came()) return interrupted();
        const auto now = Clock::now();
        const auto due = changed_ ? next_ : stepped_ + look_again;
        const bool watched = engine_->busy() && !changed_;
        if (!watched && now >= due) return {};
        std::vector<Readiness> awaited = machine_->readiness();
        awaited.push_back(machine_->news());
        awaited.push_back(interruption_.readiness());
        awaited.back().timeout = wait_pause;
        if (!watched)
            awaited.back().timeout =
                std::min(wait_pause, std::chrono::ceil<std::chrono::milliseconds>(due - now));
        if (!wait_for_any(awaited)) on_wait();
    }
}

void Drive::write_metrics(const StepReport& report) const {
    // A daemon has more to tell in that file.
    if (context_.config.metrics_textfile.empty() || !manifests_.desired() || trigger(context_)) return;
    const std::chrono::duration<double> took = Clock::now() - began_;
    const MetricsSnapshot snapshot{*manifests_.desired(),
                                   manifests_.intent(),
                                   engine_->status(),
                                   report.difference,
                                   context_.source->name(),
                                   took,
                                   players_,
                                   ticks_};
    if (auto written = write_textfile(context_.config.metrics_textfile, metrics_text(snapshot, nullptr));
        !written)
        context_.notice("the metrics could not be written: " + written.error());
}

}  // namespace

Result<StepReport> drive(Context& context, const ReconcileOptions& options, Settling& settling,
                         Interruption& interruption) {
    Drive drive(context, interruption, options.retry_now);
    for (;;) {
        auto report = drive.step();
        if (!report) return report;
        options.on_report(*report);
        if (settling.has_settled(*report) && !drive.busy()) {
            drive.write_metrics(*report);
            return report;
        }
        if (auto waited = drive.wait(options.on_wait); !waited) return std::unexpected(waited.error());
    }
}

}  // namespace left4me::operations
