#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "adapters/config/config.hpp"
#include "adapters/host/systemd_host.hpp"
#include "adapters/paths.hpp"
#include "adapters/sources/manifests.hpp"
#include "adapters/store/clock.hpp"
#include "adapters/store/lock.hpp"
#include "adapters/store/status_file.hpp"
#include "adapters/trigger/server.hpp"
#include "adapters/watch/mount_watch.hpp"
#include "adapters/watch/tree_watch.hpp"
#include "l4d2d/event_recorder.hpp"
#include "l4d2d/telemetry.hpp"
#include "l4d2d/wakeup.hpp"
#include "l4d2d/work_queue.hpp"
#include "reconciler/engine.hpp"

namespace left4me {

/// l4d2d: keeps the host in line with the manifests. Events (a unit changes, something is mounted, a file is
/// written, a commit is pushed, time passes) only wake it up. It then reads what has changed and takes one
/// step of the engine. Otherwise it sleeps.
class Daemon {
  public:
    /// Errors: no system bus, or the socket cannot be created.
    static std::expected<std::unique_ptr<Daemon>, std::string> create(Paths paths, std::string config_path,
                                                                      Config config);
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Returns on SIGTERM or SIGINT. Servers keep running, and systemd completes the jobs that were queued.
    void run();

  private:
    Daemon(Paths paths, std::string config_path, Config config, std::unique_ptr<Units> units);
    std::expected<void, std::string> listen();

    using Time = WorkQueue::Time;

    void enqueue_everything();
    void wake();
    void run_once();
    void drain();
    void triggered(const TriggerRequest& request);
    void read_source();
    void fetch(Time now);
    void fetched(const std::expected<void, std::string>& result);
    void reconcile(Time now);
    void follow_clock();
    void host_failed(Time now, const std::string& error);
    void reconciled(Time now, const StepResult& step);
    void report(StepReport report);
    void attribute(std::vector<Event>& events, const Plan& difference);
    void trim(Time now);
    bool hold_lock();
    bool take_over_status();
    void release_lock();
    void save();
    void sleep(Time now);
    void reload();
    void configure_telemetry();
    /// Something happened on the host.
    void enqueue_host(Time now);
    /// Something that was begun has ended.
    void enqueue_ended(Time now);
    void watch_places();
    void await_signals();

    Paths paths_;
    std::string config_path_;
    Config config_;
    std::optional<PassLock> lock_;  ///< held until the machine has ended what it does to files
    SystemdHost host_;
    Engine engine_;
    Manifests manifests_;
    std::optional<TreeWatch> source_watch_;
    std::optional<TreeWatch> host_watch_;
    TreeWatch emptied_watch_{std::vector<std::filesystem::path>{paths_.probe_emptied()}};
    MountWatch mount_watch_{paths_.mountinfo};
    StatusFile status_file_;
    ClockMark clock_ = read_clock();
    EventRecorder recorder_;

    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_{io_};
    boost::asio::steady_timer timer_{io_};
    std::vector<std::unique_ptr<Wakeup>> wakeups_;
    Telemetry telemetry_{io_};
    std::unique_ptr<TriggerServer> trigger_;
    bool run_is_posted_ = false;
    bool waits_for_players_ = false;  ///< something is done when a server is empty
    bool fetching_ = false;
    /// A network request may take minutes to fail.
    boost::asio::thread_pool network_{1};

    WorkQueue queue_;
    std::minstd_rand random_{std::random_device{}()};  ///< seeded differently on each host
    RateLimiter rate_;
    /// What triggers have asked for since the last step.
    std::optional<TriggerRequest> asked_;
    std::optional<TimePoint> retry_before_;  ///< Intent's: the step that came after the last such trigger
    /// Who asked for what is being done to a subject ("server/comp1"), until that is done.
    std::map<std::string, std::string> actors_;
    std::string said_status_;  ///< to systemd
    std::string host_error_;
    std::string logged_fetch_error_;
    WorkQueue::Clock::duration host_retry_{};
    WorkQueue::Clock::duration unreached_retry_{};  ///< after requests that did not reach their units
    Time alive_{};                                  ///< when the watchdog was last notified
    Time trimmed_{};
};

}  // namespace left4me
