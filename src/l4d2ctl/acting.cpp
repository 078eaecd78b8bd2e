#include "l4d2ctl/acting.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/events/origin.hpp"
#include "adapters/events/record.hpp"
#include "adapters/metrics/metrics.hpp"
#include "adapters/metrics/textfile.hpp"
#include "adapters/poke/poke.hpp"
#include "adapters/store/status_file.hpp"
#include "l4d2ctl/caller.hpp"
#include "l4d2ctl/follow.hpp"
#include "l4d2ctl/narrator.hpp"
#include "l4d2ctl/server_view.hpp"
#include "specs/text_checks.hpp"

namespace left4me::ctl {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds default_patience = std::chrono::minutes(2);
/// Not every change of the host is told of by a file of the state: without a daemon somebody has to look.
constexpr milliseconds first_look_again{50};
constexpr milliseconds last_look_again{1000};

/// Servers that the revision wants to run, in their order.
std::vector<std::string> wanted_running(const Desired& desired) {
    std::vector<std::string> names;
    for (const auto& [name, server] : desired.servers) {
        if (server.state == RunState::Running) names.push_back(name);
    }
    return names;
}

/// Remembers the trouble even when there is no revision to make a pass with.
void note_source_error(const Session& session, const std::string& error) {
    const Status before = load_status(session.paths);
    if (before.source_error == error) return;
    Status status = before;
    status.source_error = error;
    status.last_pass = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    if (auto saved = save_status(session.paths, status); !saved)
        print_error("the status could not be kept: " + saved.error());
    if (auto recorded =
            record(session.paths, events_of(before, {}, {}, {}, {}, status), actor_of(session.caller));
        !recorded)
        print_error("the event could not be kept: " + recorded.error());
}

void write_metrics(const Session& session, const Intent& intent, const Status& status, const RunResult& run,
                   std::chrono::duration<double> took) {
    // A daemon has more to tell in that file, and has been woken up by what was done here.
    if (session.config.metrics_textfile.empty() || poke(session.paths) == Poked::Heard) return;
    const Standing standing{*run.target.desired, intent, status, run.remaining, session.source->name(), took};
    if (auto written = write_textfile(session.config.metrics_textfile, metrics_text(standing, nullptr));
        !written)
        print_error("the metrics could not be written: " + written.error());
}

/// The pass has done what it could: that its story cannot be told is worth a line, not a failure.
void tell_story(const Session& session, const InForce& in_force, const Intent& intent, const Status& status,
                const RunResult& run) {
    PassEnd end = end_of_pass(run.before, run.target.revision(), intent, run.ended, run.remaining, status);
    end.revisions = revisions_of(in_force);
    end.actor = actor_of(session.caller);
    if (auto recorded = record_pass(session.paths, std::move(end)); !recorded)
        print_error("the events of this pass could not be kept: " + recorded.error());
}

/// The last line on a terminal: how the host stands to the manifests now.
std::string standing_text(const Plan& remaining) {
    if (!remaining.empty()) return count_text(remaining);
    const std::size_t count = remaining.agreeing_servers;
    return count == 1 ? "1 server agrees" : fmt::format("{} servers agree", count);
}

/// What waits, and what was never begun because something else failed first.
void tell_rest(const Session& session, const RunResult& run) {
    std::vector<Outcome> never_begun;
    std::copy_if(run.ended.outcomes.begin(), run.ended.outcomes.end(), std::back_inserter(never_begun),
                 [](const Outcome& outcome) { return outcome.reason == FailureKind::PrerequisiteFailed; });
    if (!never_begun.empty()) print_error(failures_text(run.ended.plan, never_begun, session.err));
    const PlanColumns columns(run.planned);
    for (const Action& action : run.remaining.actions) {
        if (is_effect(action.verb)) continue;
        print((session.out.person ? "· " : "") + action_line(action, columns, session.out) + "\n");
    }
    const bool quiet = run.remaining.empty() && run.ended.outcomes.empty();
    if (session.out.person || quiet)
        print(session.out.paint(Paint::Bold, standing_text(run.remaining)) + "\n");
}

Result<RunResult> make_pass(Session& session, const InForce& in_force) {
    auto machine = connect(session);
    if (!machine) return std::unexpected(machine.error());
    Narrator narrator(**machine, session.out, session.err);
    Intent intent = load_intent(session.paths);
    intent.retry_now = !session.unattended;
    Engine engine(narrator, load_status(session.paths));
    const auto begun = std::chrono::steady_clock::now();
    auto run = engine.run({std::make_shared<const Desired>(in_force.desired()), intent, in_force.error});
    if (!run) return fail(Exit::Refused, run.error());
    if (auto saved = save_status(session.paths, engine.status()); !saved)
        return fail(Exit::Refused, saved.error());
    tell_story(session, in_force, intent, engine.status(), *run);
    write_metrics(session, intent, engine.status(), *run, std::chrono::steady_clock::now() - begun);
    return std::move(*run);
}

}  // namespace

Result<milliseconds> parse_patience(const std::string& text) {
    if (text.empty()) return default_patience;
    const auto duration = parse_duration(text);
    if (!duration) return fail(Exit::Usage, "\"" + text + "\" is not a duration; write 90s, 30m, 12h or 2d");
    return *duration;
}

void add_wait_option(Command& verb, const std::shared_ptr<Patience>& patience) {
    verb.optional_value(
        "--wait", "DURATION",
        [patience](const std::string& text) {
            const auto parsed = parse_patience(text);
            if (!parsed) return parsed.error().message;
            *patience = *parsed;
            return std::string();
        },
        "Then wait until every server that shall run is ready, at most DURATION (90s, 5m; default 2m)");
}

void tell_event(const Session& session, const std::vector<std::string>& subjects, const char* reason,
                const std::string& message) {
    const std::string actor = actor_of(session.caller);
    std::vector<Event> events;
    for (const std::string& subject : subjects) {
        Event event;
        event.at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        event.subject = subject;
        event.reason = reason;
        event.message = message;
        event.revision = load_status(session.paths).last_attempted_revision;
        events.push_back(std::move(event));
    }
    if (auto recorded = record(session.paths, events, actor); !recorded)
        print_error("the event could not be kept: " + recorded.error());
}

Result<PassLock> lock_edits(Session& session) {
    auto lock = PassLock::acquire_for_edit(
        session.paths, "l4d2ctl " + session.verb,
        [](const std::string& holder) { print_error("waiting for " + holder + " to finish its edit"); });
    if (!lock) return fail(Exit::Refused, lock.error());
    if (auto finished = session.source->finish_commit(); !finished) {
        return fail(Exit::Refused, finished.error());
    }
    return std::move(*lock);
}

Result<PassLock> lock_host(Session& session) {
    auto lock = PassLock::acquire(session.paths, "l4d2ctl " + session.verb, [](const std::string& holder) {
        print_error("waiting for " + holder + " to finish its pass");
    });
    if (!lock) return fail(Exit::Refused, lock.error());
    // What an edit was killed in the middle of is finished by whoever comes next.
    if (const auto edits = lock_edits(session); !edits) return std::unexpected(edits.error());
    return std::move(*lock);
}

Result<Exit> reconcile(Session& session, const Patience& patience) {
    auto in_force = read_source(session);
    if (!in_force) {
        note_source_error(session, in_force.error().message);
        return std::unexpected(in_force.error());
    }
    tell_trouble(*in_force);
    if (in_force->trouble == Trouble::None) {
        if (auto kept = keep_last_good(session.paths, in_force->snapshot); !kept) {
            return fail(Exit::Refused, kept.error());
        }
    }
    const auto pass = make_pass(session, *in_force);
    if (!pass) return std::unexpected(pass.error());
    tell_rest(session, *pass);
    const std::vector<Outcome>& outcomes = pass->ended.outcomes;
    const bool failed =
        std::any_of(outcomes.begin(), outcomes.end(), [](const Outcome& outcome) { return !outcome.done; });
    if (failed) return Exit::Refused;
    if (patience) {
        auto waited = wait_until_ready(session, wanted_running(*pass->target.desired), *patience);
        if (!waited || *waited != Exit::Done) return waited;
    }
    return exit_for(in_force->trouble);
}

namespace {

/// Servers that are not ready yet, and what is to be said of each.
struct Late {
    std::string coming;  ///< may still get ready
    std::string held;    ///< will not without a person
};

bool takes_a_person(HoldReason reason) {
    switch (reason) {
        case HoldReason::ApprovalRequired:
        case HoldReason::Suspended:
        case HoldReason::NotInstalled:
        case HoldReason::SourceUnavailable:
        case HoldReason::Drift:
            return true;
        case HoldReason::RolloutPending:
        case HoldReason::PortInUse:
        case HoldReason::BackOff:
        case HoldReason::Orphan:
        case HoldReason::Shadowed:
            return false;
    }
    return false;
}

/// Why the server does not get ready by itself, or nullptr.
const Action* hold_for_a_person(const View& view, const std::string& name) {
    const std::vector<const Action*> actions = actions_of(view, name);
    const bool acts = std::any_of(actions.begin(), actions.end(),
                                  [](const Action* action) { return is_effect(action->verb); });
    const auto held = std::find_if(actions.begin(), actions.end(), [](const Action* action) {
        return action->code && takes_a_person(*action->code);
    });
    return acts || held == actions.end() ? nullptr : *held;
}

Late late_servers(const View& view, const std::vector<std::string>& names) {
    Late late;
    for (const std::string& name : names) {
        const Condition* const ready = ready_condition(view, name);
        if (ready != nullptr && ready->status == ConditionStatus::True) continue;
        if (const Action* const hold = hold_for_a_person(view, name)) {
            late.held += fmt::format("server/{}: {}\n", name, hold->reason);
        } else {
            late.coming += fmt::format("server/{}: {}\n", name, why_text(view, name));
        }
    }
    return late;
}

}  // namespace

Result<Exit> wait_until_ready(Session& session, const std::vector<std::string>& names,
                              milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    StateWatch watch(session.paths);
    for (milliseconds pause = first_look_again;; pause = std::min(2 * pause, last_look_again)) {
        const auto view = look(session);
        if (!view) return std::unexpected(view.error());
        const Late late = late_servers(*view, names);
        if (late.coming.empty() && late.held.empty()) return Exit::Done;
        if (late.coming.empty())
            return fail(Exit::TimedOut, late.held + "not waited for: that takes a person, not time");
        const auto left =
            std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= milliseconds::zero()) {
            return fail(Exit::TimedOut, late.held + late.coming + "timed out: not ready within " +
                                            fmt::format("{} s", patience.count() / 1000));
        }
        watch.wait(std::min(pause, left));
    }
}

}  // namespace left4me::ctl
