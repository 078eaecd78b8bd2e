#include "adapters/systemd/jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <tuple>

#include "adapters/systemd/names.hpp"
#include "adapters/systemd/outcome.hpp"
#include "adapters/systemd/unit_names.hpp"
#include "adapters/systemd/unit_properties.hpp"
#include "adapters/systemd/unit_signals.hpp"
#include "specs/name.hpp"

namespace left4me {
namespace {

constexpr const char* helper = "org.left4me.Helper1";
constexpr const char* helper_path = "/org/left4me/Helper1";

constexpr std::size_t helper_batch = 4096;
// The helper replies once jobs are queued (for Purge: once files are removed), and PID 1 may be busy
// reloading.
constexpr std::chrono::minutes helper_patience{10};
// The bus gives a service 25 s to start, which a PID 1 that is starting hundreds of servers may need. The
// helper has not seen the request then, so it may be repeated.
constexpr const char* not_activated = "org.freedesktop.DBus.Error.TimedOut";
constexpr int activation_attempts = 4;
// A signal can be lost only when PID 1 re-executes. No checks are made while requests keep ending.
constexpr std::chrono::seconds silence{10};

bool is_of_builds(Verb verb) { return verb == Verb::Build || verb == Verb::Cancel; }

/// The start of a build's unit (Type=exec) has ended when its program has begun: what that does is seen in
/// the unit's state.
bool makes_jobs(Verb verb) {
    return verb == Verb::Start || verb == Verb::Stop || verb == Verb::Restart || verb == Verb::Attach ||
           verb == Verb::Refresh || is_of_builds(verb);
}

/// The unit that a request is about.
std::string unit_of(Verb verb, const std::string& name) {
    if (verb == Verb::Refresh) return refresh_unit(name);
    return is_of_builds(verb) ? build_unit(name) : server_unit(name);
}

/// Whether a unit whose job was lost is as the request wanted it.
bool is_as_asked(Verb verb, const UnitProperties& unit) {
    const ActiveState state = unit.active_state();
    const bool ended = state == ActiveState::Inactive || state == ActiveState::Failed;
    if (verb == Verb::Stop || verb == Verb::Cancel) return ended;
    // A short build may have ended, and a refresh is as long as its job.
    const bool may_have_ended = verb == Verb::Build || verb == Verb::Refresh;
    return state == ActiveState::Active || (may_have_ended && ended && unit.result == "success");
}

UnitOutcome failure(const std::string& server, FailureKind reason, std::string message) {
    return {.server = server, .done = false, .reason = reason, .message = std::move(message)};
}

std::uint64_t now_usec() {
    const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(since_boot).count());
}

}  // namespace

const char* method_of(Verb verb) {
    switch (verb) {
        case Verb::Enable:
            return "Enable";
        case Verb::Disable:
            return "Disable";
        case Verb::Start:
            return "Start";
        case Verb::Stop:
            return "Stop";
        case Verb::Restart:
            return "Restart";
        case Verb::Attach:
            return "Attach";
        case Verb::ResetFailed:
            return "ResetFailed";
        case Verb::Purge:
            return "Purge";
        case Verb::Build:
            return "StartBuild";
        case Verb::Cancel:
            return "StopBuild";
        case Verb::Refresh:
            return "Refresh";
        default:
            return nullptr;
    }
}

void Jobs::begin(Bus& bus, Verb verb, std::span<const std::string> servers, const char* method) {
    if (makes_jobs(verb)) watch(bus);
    heard_ = std::chrono::steady_clock::now();
    std::vector<std::string> names;
    for (const std::string& server : servers) {
        under_way_.emplace(Request{verb, server}, now_usec());
        if (method == nullptr)
            finish({verb, server}, failure(server, FailureKind::NotForUnits, "nothing that a unit could do"));
        else if (!is_valid_name(server))
            finish({verb, server}, failure(server, FailureKind::InvalidName,
                                           fmt::format("\"{}\" is not a server's name", server)));
        else
            names.push_back(server);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (std::size_t first = 0; first < names.size(); first += helper_batch) {
        const auto from = names.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = std::min(helper_batch, names.size() - first);
        const std::vector<std::string> batch(from, from + static_cast<std::ptrdiff_t>(count));
        ask_helper(
            bus, verb, method, batch, [batch](sdbus::MethodCall& message) { message << batch; },
            activation_attempts);
    }
}

void Jobs::begin_tuning(Bus& bus, const Tuning& tuning) {
    using Setting = sdbus::Struct<std::string, std::string>;
    std::vector<sdbus::Struct<std::string, std::vector<Setting>>> units;
    for (const auto& [unit, settings] : tuning) {
        std::vector<Setting> values;
        for (const auto& [name, value] : settings) values.emplace_back(name, value);
        units.emplace_back(unit, std::move(values));
    }
    heard_ = std::chrono::steady_clock::now();
    under_way_.emplace(Request{Verb::Tune, host_name}, now_usec());
    ask_helper(
        bus, Verb::Tune, "Tune", {host_name}, [units](sdbus::MethodCall& message) { message << units; },
        activation_attempts);
}

void Jobs::watch(Bus& bus) {
    if (watched_ == &bus) return;
    watched_ = &bus;
    const auto on_removed = [this, &bus](sdbus::Signal& signal) {
        std::uint32_t id = 0;
        sdbus::ObjectPath job;
        Removed removed;
        signal >> id >> job >> removed.unit >> removed.result;
        job_removed(bus, job, std::move(removed));
    };
    (void)bus.watch({systemd::service, systemd::path, systemd::manager, "JobRemoved"}, on_removed);
    // PID 1 receives this before the helper receives the following request: the bus preserves one sender's
    // order.
    subscribe(bus);
}

void Jobs::ask_helper(Bus& bus, Verb verb, const char* method, std::vector<std::string> servers,
                      const Bus::Write& write, int attempts) {
    ++unanswered_;
    bus.count_round_trip();
    const auto answered = [this, &bus, verb, method, servers, write, attempts](sdbus::MethodReply& reply,
                                                                               const BusError* error) {
        --unanswered_;
        if (error == nullptr) {
            read_answer(bus, verb, {servers.begin(), servers.end()}, reply);
        } else if (error->name == not_activated && attempts > 1) {
            ask_helper(bus, verb, method, servers, write, attempts - 1);
        } else {
            for (const std::string& server : servers) finish({verb, server}, refused_outcome(server, *error));
        }
        if (unanswered_ == 0) early_.clear();
    };
    bus.call({helper, helper_path, helper, method}, write, answered, helper_patience);
}

void Jobs::read_answer(Bus& bus, Verb verb, std::set<std::string> asked, sdbus::MethodReply& reply) {
    std::vector<sdbus::Struct<std::string, std::string, std::string>> answers;
    reply >> answers;
    for (const auto& answer : answers) {
        const std::string& server = std::get<0>(answer);
        const std::string& job = std::get<1>(answer);
        const std::string& error = std::get<2>(answer);
        if (asked.erase(server) == 0) continue;
        if (!error.empty()) {
            finish({verb, server}, failure(server, FailureKind::Refused, error));
        } else if (job.empty()) {
            finish({verb, server}, job_outcome(server, "done"));
        } else if (const auto early = early_.find(job); early != early_.end()) {
            settle(bus, {verb, server}, early->second);
        } else {
            jobs_.emplace(job, Request{verb, server});
        }
    }
    for (const std::string& server : asked)
        finish({verb, server}, failure(server, FailureKind::NoReply, "left4me-helper did not report on it"));
}

void Jobs::job_removed(Bus& bus, const std::string& job, Removed removed) {
    const auto [first, last] = jobs_.equal_range(job);
    const std::vector<std::pair<std::string, Request>> ended(first, last);
    jobs_.erase(first, last);
    for (const auto& [path, request] : ended) settle(bus, request, removed);
    // Another pending request may have been merged into the same job.
    if (unanswered_ > 0 && removed.unit.starts_with("left4me-")) early_[job] = std::move(removed);
}

void Jobs::settle(Bus& bus, const Request& request, const Removed& removed) {
    const std::string& server = request.second;
    if (removed.result == "done") return finish(request, job_outcome(server, "done"));
    // For a server whose unit is inactive but whose overlay is mounted, the helper "stops" it by unmounting.
    if (removed.unit != unit_of(request.first, server)) {
        const bool attaches = request.first == Verb::Attach;
        return finish(request,
                      failure(server, attaches ? FailureKind::AttachFailed : FailureKind::UnmountFailed,
                              fmt::format("its overlay cannot be {}; see journalctl -u {}",
                                          attaches ? "mounted again" : "unmounted", removed.unit)));
    }
    if (removed.result == "failed") return explain_failure(bus, request);
    finish(request, job_outcome(server, removed.result));
}

void Jobs::explain_failure(Bus& bus, const Request& request) {
    const std::string name = unit_of(request.first, request.second);
    ask_properties(bus, name, [this, request](const UnitProperties* unit, const BusError*) {
        const auto begun = under_way_.find(request);
        if (unit == nullptr || begun == under_way_.end())
            return finish(request, job_outcome(request.second, "failed"));
        // It was not attempted, so Result would describe an earlier failure.
        if (unit->inactive_exit_usec < begun->second)
            return finish(request, failed_outcome(request.second, "start-limit-hit", ""));
        finish(request, unit->result == "success"
                            ? job_outcome(request.second, "failed")
                            : failed_outcome(request.second, unit->result, unit->detail));
    });
}

void Jobs::look_for_lost_jobs(Bus& bus) {
    if (std::exchange(looking_, true)) return;
    // A job that the helper names while the list is being fetched may be newer than the list.
    const auto asked = std::make_shared<const std::multimap<std::string, Request>>(jobs_);
    bus.count_round_trip();
    bus.call(
        {systemd::service, systemd::path, systemd::manager, "ListJobs"}, [](sdbus::MethodCall&) {},
        [this, &bus, asked](sdbus::MethodReply& reply, const BusError* error) {
            looking_ = false;
            // No reply says nothing about any job: ask again after the next silence.
            if (error != nullptr) return;
            std::vector<sdbus::Struct<std::uint32_t, std::string, std::string, std::string, sdbus::ObjectPath,
                                      sdbus::ObjectPath>>
                listed;
            reply >> listed;
            std::set<std::string> there;
            for (const auto& job : listed) there.insert(std::get<4>(job));
            for (const auto& [job, request] : *asked)
                if (!there.contains(job)) settle_lost(bus, job, request);
        });
}

void Jobs::settle_lost(Bus& bus, const std::string& job, const Request& request) {
    const auto [first, last] = jobs_.equal_range(job);
    const auto lost = std::find_if(first, last, [&](const auto& one) { return one.second == request; });
    if (lost == last) return;  // it has ended since
    jobs_.erase(lost);
    const std::string name = unit_of(request.first, request.second);
    ask_properties(bus, name, [this, job, request](const UnitProperties* unit, const BusError*) {
        const std::string& server = request.second;
        const auto begun = under_way_.find(request);
        if (unit == nullptr) {
            const auto waited =
                std::chrono::microseconds(begun == under_way_.end() ? 0 : now_usec() - begun->second);
            // PID 1 is busy: ask for the state of the unit again after the next silence.
            if (waited < helper_patience) {
                jobs_.emplace(job, request);
                return;
            }
            return finish(request,
                          failure(server, FailureKind::JobLost, "systemd does not say how its job ended"));
        }
        finish(request, is_as_asked(request.first, *unit)
                            ? job_outcome(server, "done")
                            : failed_outcome(server, unit->result, unit->detail));
    });
}

void Jobs::finish(const Request& request, UnitOutcome outcome) {
    // A server may be named twice in one request: each gets an outcome.
    const auto [first, last] = under_way_.equal_range(request);
    const auto count = std::distance(first, last);
    under_way_.erase(first, last);
    for (auto i = count; i > 0; --i) finished_.emplace_back(request.first, outcome);
}

std::expected<Jobs::Finished, BusError> Jobs::poll_completions(Bus& bus) {
    if (const auto processed = bus.process(); !processed) return std::unexpected(processed.error());
    const auto now = std::chrono::steady_clock::now();
    if (!finished_.empty()) {
        heard_ = now;
    } else if (!jobs_.empty() && now - heard_ >= silence) {
        heard_ = now;
        look_for_lost_jobs(bus);
    }
    return std::exchange(finished_, {});
}

std::optional<std::chrono::milliseconds> Jobs::timeout() const {
    if (!finished_.empty()) return std::chrono::milliseconds(0);
    if (under_way_.empty()) return std::nullopt;
    const auto left = heard_ + silence - std::chrono::steady_clock::now();
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(0));
}

Jobs::Finished Jobs::give_up(const BusError& error) {
    const auto lost = std::exchange(under_way_, {});
    for (const auto& [request, begun] : lost)
        finished_.emplace_back(request.first, refused_outcome(request.second, error));
    jobs_.clear();
    early_.clear();
    unanswered_ = 0;
    looking_ = false;
    watched_ = nullptr;
    return std::exchange(finished_, {});
}

}  // namespace left4me
