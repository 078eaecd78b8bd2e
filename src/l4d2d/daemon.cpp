#include "l4d2d/daemon.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <malloc.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <random>
#include <set>
#include <utility>

#include "adapters/config/file.hpp"
#include "adapters/sources/open.hpp"
#include "adapters/store/requests.hpp"
#include "l4d2d/notify.hpp"
#include "reconciler/health.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

using namespace std::chrono_literals;

// Signals can be lost (a full queue, a broken connection), and some sources send none.
constexpr auto resync = 30s;
// An editor may write several files, or a copy may be in progress: read once it is quiet.
constexpr auto quiet = 100ms;
constexpr auto max_unquiet = 2s;
// While another process (l4d2ctl) makes a pass.
constexpr auto lock_retry = 50ms;
constexpr auto fetch_retry = 1s;
constexpr auto first_host_retry = 1s;
constexpr auto first_unreached_retry = 50ms;
constexpr auto max_unreached_retry = 10s;
constexpr auto trim_interval = 10s;
// For the directories of overlays: unchanged ones take one stat(2) per file. Slower results are used by a
// later observation.
constexpr auto source_timeout = 100ms;

/// The group that may trigger the daemon: those who may push to the repository (`init-repo --group`), or else
/// left4me-operators.
std::optional<gid_t> group_of_operators(const Config& config) {
    struct stat repository{};
    // The repository's top directory belongs to root; this one is open to those who push.
    const bool pushed_to = config.git && config.git->remote.empty();
    if (pushed_to && ::stat((config.git->repository / "objects").c_str(), &repository) == 0)
        return repository.st_gid;
    const group* const operators = ::getgrnam("left4me-operators");
    return operators == nullptr ? std::nullopt : std::optional(operators->gr_gid);
}

void log_warnings(const Config& config) {
    for (const Diagnostic& warning : config.warnings) log(Level::Warning, to_string(warning));
}

/// "the source is not followed: servers.yaml:3:1: …; ", or "" if it is followed.
std::string trouble_with(const std::string& source_error) {
    if (source_error.empty()) return {};
    return fmt::format("the source is not followed: {}; ",
                       printable(source_error.substr(0, source_error.find('\n'))));
}

/// The pause before the next retry, after one of `pause`.
WorkQueue::Clock::duration doubled(WorkQueue::Clock::duration pause, WorkQueue::Clock::duration first,
                                   WorkQueue::Clock::duration longest) {
    return std::clamp(2 * pause, first, longest);
}

/// Something is done when players leave, or told when a game answers.
bool waits_for_answers(const StepResult& step) {
    const auto waits = [](const Action& action) { return action.while_empty.has_value(); };
    const auto is_silent = [&](const auto& server) {
        const TargetServer* const target = step.target.find(server.first);
        if (target == nullptr) return false;
        const Response response = response_of(*target->spec, server.second, step.observed);
        return response == Response::NotYet || response == Response::Silent;
    };
    return std::any_of(step.difference.actions.begin(), step.difference.actions.end(), waits) ||
           std::any_of(step.observed.servers.begin(), step.observed.servers.end(), is_silent);
}

/// The status line of `systemctl status left4me`: first, what keeps the newest manifests from being followed.
std::string summary(const Plan& difference, std::size_t under_way, const std::string& source_error) {
    std::string text = trouble_with(source_error);
    std::set<std::string> waiting;
    for (const Action& action : difference.actions) {
        if (!action.to_approve.empty()) waiting.insert(action.to_approve);
    }
    for (const std::string& revision : waiting)
        text += fmt::format("revision {} waits for l4d2ctl approve; ", revision);
    text += fmt::format("servers: {} agree, {} differ{}", difference.agreeing_servers,
                        difference.differing_servers, unready_text(difference));
    if (under_way > 0) text += fmt::format("; actions under way: {}", under_way);
    return text;
}

}  // namespace

std::expected<std::unique_ptr<Daemon>, std::string> Daemon::create(Paths paths, std::string config_path,
                                                                   Config config) {
    auto units = Units::connect(paths);
    if (!units) return std::unexpected(units.error());
    log_warnings(config);
    std::unique_ptr<Daemon> daemon(
        new Daemon(std::move(paths), std::move(config_path), std::move(config), std::move(*units)));
    if (auto listening = daemon->listen(); !listening) return std::unexpected(listening.error());
    return daemon;
}

Daemon::Daemon(Paths paths, std::string config_path, Config config, std::unique_ptr<Units> units)
    : paths_(std::move(paths)),
      config_path_(std::move(config_path)),
      config_(std::move(config)),
      host_(paths_, std::move(units), source_timeout),
      engine_(host_, Status{}),
      manifests_(paths_, config_),
      status_file_(paths_),
      recorder_(paths_) {
    host_.units().subscribe([this] { enqueue_host(WorkQueue::Clock::now()); });
    watch_places();
    configure_telemetry();
    await_signals();
}

std::expected<void, std::string> Daemon::listen() {
    auto opened = TriggerServer::open(io_, paths_, group_of_operators(config_),
                                      [this](const TriggerRequest& request) { triggered(request); });
    if (!opened) return std::unexpected(opened.error());
    trigger_ = std::move(*opened);
    return {};
}

void Daemon::run() {
    enqueue_everything();
    notify("READY=1\nSTATUS=observing the host");
    io_.run();
    notify("STOPPING=1");
}

void Daemon::watch_places() {
    source_watch_.emplace(manifests_.source().watch_paths());
    // Enablement is links in these directories; renderings are files beneath instances/.
    host_watch_.emplace(
        std::vector<std::filesystem::path>{paths_.systemd_etc, paths_.systemd_run, paths_.instances()});
    for (const TreeWatch* watch : {&*source_watch_, &*host_watch_}) {
        if (watch->trouble().empty()) continue;
        log(Level::Warning, fmt::format("{}; changes there are noticed every {} s", watch->trouble(),
                                        std::chrono::seconds(resync).count()));
    }
}

void Daemon::await_signals() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.add(SIGHUP);
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error) return;
        if (signal != SIGHUP) return io_.stop();
        signals_.clear();
        reload();
        await_signals();
    });
}

void Daemon::reload() {
    notify("RELOADING=1");
    auto config = read_config(config_path_);
    if (config) {
        config_ = std::move(*config);
        log_warnings(config_);
        manifests_.follow_source_of(config_);
        configure_telemetry();
        watch_places();
        log(Level::Notice, "configuration reloaded");
    } else {
        log(Level::Error, "the old configuration stays: " + config.error());
    }
    enqueue_everything();
    notify("READY=1");
}

void Daemon::enqueue_everything() {
    const Time now = WorkQueue::Clock::now();
    for (const Key key : {Key::Fetch, Key::Source, Key::Host}) queue_.add(key, now);
    wake();
}

/// Any number of wake-ups before the next run count as one.
void Daemon::wake() {
    if (std::exchange(run_is_posted_, true)) return;
    boost::asio::post(io_, [this] {
        run_is_posted_ = false;
        run_once();
    });
}

void Daemon::run_once() {
    drain();
    Time now = WorkQueue::Clock::now();
    if (queue_.take(Key::Fetch, now)) fetch(now);
    if (queue_.take(Key::Source, now)) {
        read_source();
        now = WorkQueue::Clock::now();
    }
    if (queue_.take(Key::Host, now)) reconcile(now);
    sleep(WorkQueue::Clock::now());
}

/// Processes all pending input before anything is decided.
void Daemon::drain() {
    const Time now = WorkQueue::Clock::now();
    if (engine_.poll_completions()) enqueue_ended(now);
    if (host_.drain()) enqueue_host(now);
    if (host_watch_->drain()) enqueue_host(now);
    if (mount_watch_.drain()) enqueue_host(now);
    // Players come and go all the time; most of the time nothing waits for that.
    if (waits_for_players_ && emptied_watch_.drain()) enqueue_host(now);
    if (source_watch_->drain()) queue_.put_off(Key::Source, now, quiet, max_unquiet);
    release_lock();
}

/// Any number of triggers before the next step are one.
void Daemon::triggered(const TriggerRequest& request) {
    if (!asked_) asked_.emplace();
    asked_->retry = asked_->retry || request.retry;
    if (!request.actor.empty()) asked_->actor = request.actor;
    enqueue_host(WorkQueue::Clock::now());
    wake();
}

void Daemon::enqueue_host(Time now) {
    queue_.add(Key::Host, rate_.earliest(now));
    telemetry_.enqueued(now);
}

/// While the bus or left4me-helper is in trouble, a step begins the same again: not at once for ever.
void Daemon::enqueue_ended(Time now) {
    if (!engine_.has_reached_no_unit()) return enqueue_host(now);
    queue_.add(Key::Host, now + unreached_retry_);
}

void Daemon::configure_telemetry() {
    if (const auto configured = telemetry_.configure(config_); !configured)
        log(Level::Error, "no metrics on a port: " + configured.error());
}

void Daemon::fetch(Time now) {
    const auto interval = manifests_.source().fetch_interval();
    if (!interval) return;
    // After a reload, the pending fetch may be of another remote; it is completed first.
    const double chance = std::uniform_real_distribution<double>(0, 1)(random_);
    queue_.add(Key::Fetch, now + (fetching_ ? fetch_retry : with_jitter(*interval, chance)));
    if (std::exchange(fetching_, true)) return;
    boost::asio::post(network_, [this, source = open_source(paths_, config_)] {
        boost::asio::post(io_, [this, result = source->fetch()] { fetched(result); });
    });
}

void Daemon::fetched(const std::expected<void, std::string>& result) {
    fetching_ = false;
    const std::string error = result ? std::string() : result.error();
    if (error != logged_fetch_error_)
        log(error.empty() ? Level::Notice : Level::Warning,
            error.empty() ? "the remote can be reached again" : error);
    logged_fetch_error_ = error;
    queue_.add(Key::Source, WorkQueue::Clock::now());
    wake();
}

void Daemon::read_source() {
    const auto before = manifests_.desired();
    manifests_.read();
    // What is wrong with it is told as an event, once.
    queue_.add(Key::Source, WorkQueue::Clock::now() + resync);
    if (manifests_.desired() == before) return;
    const std::string& revision = manifests_.desired()->revision;
    // Also true for a new reading of the same revision, while the source has errors or when somebody suspends
    // a server.
    if (!before || before->revision != revision) log(Level::Info, "following revision " + revision);
    queue_.add(Key::Host, WorkQueue::Clock::now());
}

void Daemon::reconcile(Time now) {
    queue_.add(Key::Host, now + resync);
    follow_clock();  // before the status of another pass is read, whose times are already adjusted
    const bool held_before = lock_.has_value();
    if (!hold_lock()) return queue_.add(Key::Host, now + lock_retry);
    // Everything that others did or said while they held the lock (a pass, a suspension, an approval) applies
    // from here on.
    const bool passed = !held_before && take_over_status();
    if (passed || asked_) read_source();
    StepReport said;
    if (const auto desired = manifests_.desired()) {
        telemetry_.began(now);
        if (asked_ && asked_->retry) retry_before_ = clock_.wall;
        Intent intent = manifests_.intent();
        intent.retry_before = retry_before_;
        const auto step =
            engine_.step({desired, std::move(intent), manifests_.error(), config_.keep_artifacts});
        if (step) {
            said = report_of(*step, engine_.open_actions());
            reconciled(now, *step);
        } else {
            said.revision = desired->revision;
            said.host_error = step.error();
            host_failed(now, step.error());
        }
        if (engine_.poll_completions()) enqueue_ended(WorkQueue::Clock::now());
    } else {
        const Status before = engine_.status();
        engine_.set_source_error(manifests_.error());
        said_status_ = trouble_with(manifests_.error()) + "no revision was ever in force";
        notify("STATUS=" + said_status_);
        std::vector<Event> events = events_of(before, {}, {}, {}, {}, engine_.status());
        // No pass was ever made that could provide their time.
        for (Event& event : events)
            event.at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        recorder_.events(std::move(events));
        save();
    }
    asked_.reset();
    release_lock();
    report(std::move(said));
    trim(now);
}

/// Setting the clock neither shortens nor extends deadlines and waits.
void Daemon::follow_clock() {
    const ClockMark now = read_clock();
    const auto jump = jump_between(std::exchange(clock_, now), now);
    if (jump == jump.zero()) return;
    if (retry_before_) *retry_before_ += jump;
    Status moved = engine_.status();
    move_times(moved, jump);
    engine_.set_status(std::move(moved));
    log(Level::Notice, fmt::format("the clock was set {} s {}",
                                   std::chrono::abs(std::chrono::round<std::chrono::seconds>(jump)).count(),
                                   jump > jump.zero() ? "forwards" : "back"));
}

/// Returns heap freed after a pass to the kernel (glibc keeps it otherwise).
void Daemon::trim(Time now) {
    if (now - trimmed_ < trim_interval) return;
    (void)::malloc_trim(0);
    trimmed_ = now;
}

void Daemon::reconciled(Time now, const StepResult& step) {
    if (!host_error_.empty()) log(Level::Notice, "the host can be read again");
    host_error_.clear();
    host_retry_ = {};
    if (!step.news.outcomes.empty())
        unreached_retry_ = reached_no_unit(step.news)
                               ? doubled(unreached_retry_, first_unreached_retry, max_unreached_retry)
                               : WorkQueue::Clock::duration{};
    rate_.finished(now, WorkQueue::Clock::now());
    // Not later than the resync, so that setting the clock back does not extend any wait.
    if (step.wake)
        queue_.add(Key::Host,
                   now + std::min<WorkQueue::Clock::duration>(*step.wake - step.observed.now, resync));
    waits_for_players_ = waits_for_answers(step);
    save();
    if (manifests_.intent().has_requests()) {
        const auto dropped = drop_finished_requests(paths_, step.target, step.observed, step.difference);
        if (!dropped) log(Level::Warning, "requests that are over stay: " + dropped.error());
        if (dropped && *dropped) queue_.add(Key::Source, now);  // read again what is left of them
    }
    const std::string says = summary(step.difference, engine_.open_actions().size(), manifests_.error());
    if (says != said_status_) notify("STATUS=" + says);
    said_status_ = says;
    PassEnd end = end_of_pass(step.before, step.target.revision(), manifests_.intent(), step.ended,
                              step.difference, engine_.status());
    telemetry_.ended(WorkQueue::Clock::now(), manifests_.intent(), step, end.events, engine_.status(),
                     manifests_.source().name());
    attribute(end.events, step.difference);
    if (step.ended.outcomes.empty() && says_the_same(step.before, engine_.status())) return;
    end.revisions = manifests_.revisions();
    end.actor = asked_ ? asked_->actor : std::string();
    recorder_.pass(std::move(end));
}

/// After the lock was released, so that a follower who goes on at once need not wait for it.
void Daemon::report(StepReport report) {
    report.error_kind = manifests_.trouble();
    report.source_error = manifests_.error();
    trigger_->report(report);
}

/// What a person has asked for is that person's until it is done, whoever asks for something else meanwhile.
void Daemon::attribute(std::vector<Event>& events, const Plan& difference) {
    std::set<std::string> acted_on;
    for (const Action& action : difference.actions) {
        if (is_effect(action.verb)) acted_on.insert(to_string(action.subject));
    }
    if (asked_ && !asked_->actor.empty()) {
        for (const std::string& subject : acted_on) actors_.try_emplace(subject, asked_->actor);
    }
    for (Event& event : events) {
        const auto actor = actors_.find(event.subject);
        if (actor != actors_.end() && !event.drift && event.actor.empty()) event.actor = actor->second;
    }
    for (const Action& action : engine_.open_actions()) acted_on.insert(to_string(action.subject));
    std::erase_if(actors_, [&](const auto& entry) { return !acted_on.contains(entry.first); });
}

void Daemon::host_failed(Time now, const std::string& error) {
    telemetry_.failed(WorkQueue::Clock::now());
    host_retry_ = doubled(host_retry_, first_host_retry, resync);
    queue_.add(Key::Host, now + host_retry_);
    if (error == host_error_) return;
    host_error_ = error;
    log(Level::Error, error);
    notify("STATUS=" + error);
}

/// Held while deciding, and for as long as files are being changed: two passes never decide at once.
bool Daemon::hold_lock() {
    if (lock_) return true;
    auto lock = PassLock::try_acquire(paths_, "l4d2d");
    if (!lock || !*lock) return false;
    lock_ = std::move(**lock);
    return true;
}

/// True if another process has made a pass since.
bool Daemon::take_over_status() {
    auto status = status_file_.read_if_changed();
    if (!status) return false;
    engine_.set_status(std::move(*status));
    return true;
}

/// While only units are under way, others may decide: what they see of those is in systemd.
void Daemon::release_lock() {
    if (!lock_ || engine_.changes_files()) return;
    engine_.drop_waiting();
    lock_.reset();
}

void Daemon::save() {
    if (const auto saved = status_file_.save(engine_.status()); !saved)
        log(Level::Warning, "the status is not written: " + saved.error());
}

void Daemon::sleep(Time now) {
    std::optional<Time> until = queue_.next();
    const auto earlier = [&until](Time when) { until = until ? std::min(*until, when) : when; };
    if (const auto interval = watchdog_interval()) {
        if (now - alive_ >= *interval / 3) {
            notify("WATCHDOG=1");
            alive_ = now;
        }
        earlier(alive_ + *interval / 2);
    }
    std::vector<Readiness> awaited = host_.readiness();
    const Readiness emptied = waits_for_players_ ? emptied_watch_.readiness() : Readiness{};
    for (const Readiness& more : {host_.news(), source_watch_->readiness(), host_watch_->readiness(),
                                  mount_watch_.readiness(), emptied}) {
        awaited.push_back(more);
    }
    while (wakeups_.size() < awaited.size()) {
        wakeups_.push_back(std::make_unique<Wakeup>(io_, [this] { wake(); }));
    }
    for (std::size_t i = 0; i < awaited.size(); ++i) {
        wakeups_[i]->arm(awaited[i]);
        if (awaited[i].timeout) earlier(now + *awaited[i].timeout);
    }
    if (mount_watch_.drain()) {
        enqueue_host(now);
        earlier(rate_.earliest(now));
    }
    timer_.expires_at(until.value_or(now + resync));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) wake();
    });
}

}  // namespace left4me
