#include "l4d2ctl/acting.hpp"

#include <fmt/format.h>

#include "l4d2ctl/progress.hpp"
#include "operations/reconcile.hpp"
#include "operations/wait.hpp"

namespace left4me::ctl {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds default_patience = std::chrono::minutes(2);

/// The servers that an edit names.
operations::Concern concern_of(const Proposal& proposal) {
    operations::Concern concern;
    for (const operations::Effect& effect : proposal.effects)
        concern.insert({effect.object.kind, effect.object.name});
    return concern;
}

/// What was asked of single servers does not wait for files that they will get later. A pass of the timer
/// ends before systemd ends it (TimeoutStartSec=15min of left4me-reconcile.service): the next one goes on.
Timeout build_timeout(const Session& session, const operations::Concern& concern) {
    if (!concern.empty()) return milliseconds(0);
    return session.unattended ? Timeout(std::chrono::minutes(10)) : std::nullopt;
}

/// What a person asks for is tried at once: an overlay that backs off all the same has failed just now.
bool build_failed(const Session& session, const operations::Concern& concern, const Plan& remaining) {
    return !session.unattended &&
           std::any_of(remaining.actions.begin(), remaining.actions.end(), [&concern](const Action& action) {
               return operations::concerns(concern, action.subject) && has_artifacts(action.subject.kind) &&
                      action.code == HoldReason::BackOff;
           });
}

}  // namespace

operations::Result<milliseconds> parse_timeout(const std::string& text) {
    return text.empty() ? default_patience : operations::parse_timeout(text);
}

void add_wait_option(Command& verb, const std::shared_ptr<Timeout>& timeout) {
    verb.optional_value(
        "--wait", "DURATION",
        [timeout](const std::string& text) {
            const auto parsed = parse_timeout(text);
            if (!parsed) return parsed.error().message;
            *timeout = *parsed;
            return std::string();
        },
        "Then wait until every server that should run is ready, at most DURATION (90s, 5m; default 2m)");
}

Result<Exit> reconcile(Session& session, const Timeout& timeout, const operations::Concern& concern,
                       std::optional<RunState> state) {
    Progress progress(session, concern);
    const auto tell = [&progress](const StepReport& report) { progress.tell(report); };
    const auto last = operations::reconcile(session, {.concern = concern,
                                                      .retry_now = !session.unattended,
                                                      .build_timeout = build_timeout(session, concern),
                                                      .on_report = tell,
                                                      .on_wait = [&progress] { progress.tell_builds(); }});
    if (!last) return std::unexpected(last.error());
    const auto checked = state ? operations::check_state(session, last->difference, concern, *state)
                               : operations::Result<void>();
    if (checked) progress.tell_rest(*last);
    if (progress.any_failed() || build_failed(session, concern, last->difference)) return Exit::Refused;
    if (!checked) return std::unexpected(checked.error());
    if (timeout) {
        const auto in_force = operations::read_source(session);
        if (!in_force) return std::unexpected(in_force.error());
        const std::vector<std::string> names = operations::wanted_running(in_force->desired());
        if (auto waited = operations::wait_until_ready(session, names, *timeout); !waited)
            return std::unexpected(waited.error());
    }
    return exit_for(last->error_kind);
}

Result<Exit> follow_quietly(Session& session) {
    bool failed = false;
    const auto tell = [&failed](const StepReport& report) {
        failed = failed || std::any_of(report.ended.outcomes.begin(), report.ended.outcomes.end(),
                                       [](const Outcome& outcome) { return has_failed(outcome); });
    };
    const auto last = operations::reconcile(session, {.concern = {},
                                                      .retry_now = !session.unattended,
                                                      .build_timeout = build_timeout(session, {}),
                                                      .on_report = tell});
    if (!last) return std::unexpected(last.error());
    if (failed || build_failed(session, {}, last->difference)) return Exit::Refused;
    return exit_for(last->error_kind);
}

Result<Exit> reconcile_servers(Session& session, const Timeout& timeout,
                               const std::vector<std::string>& servers) {
    operations::Concern concern;
    for (const std::string& server : servers) concern.insert({Kind::Server, server});
    return concern.empty() ? Result<Exit>(Exit::Done) : reconcile(session, timeout, concern);
}

Result<Exit> tell_canceled(const operations::Result<std::vector<std::string>>& servers, const char* what) {
    if (!servers) return std::unexpected(servers.error());
    for (const std::string& server : *servers) print(fmt::format("server/{} {} canceled\n", server, what));
    if (servers->empty()) print(fmt::format("no {} was pending\n", what));
    return Exit::Done;
}

void tell_effects(const Session& session, const Proposal& proposal, const std::string& suffix) {
    for (const operations::Effect& effect : proposal.effects) {
        const Paint paint = effect.change == operations::Change::Unchanged ? Paint::Dim : Paint::Bold;
        print(to_string(effect.object) + " " + session.out.paint(paint, to_string(effect.change)) + suffix +
              "\n");
    }
    (void)std::fflush(stdout);
}

Result<Exit> edit_and_reconcile(Session& session, const Make& make, const Timeout& timeout) {
    const auto edited = operations::commit(session, make);
    if (!edited) return std::unexpected(edited.error());
    tell_effects(session, *edited);
    // Even if nothing was changed: the host may have drifted.
    return reconcile(session, timeout);
}

Result<Exit> edit_servers_and_reconcile(Session& session, const Make& make, const Timeout& timeout,
                                        std::optional<RunState> state) {
    const auto edited = operations::commit_for_servers(session, make);
    if (!edited) return std::unexpected(edited.error());
    tell_effects(session, *edited);
    return reconcile(session, timeout, concern_of(*edited), state);
}

}  // namespace left4me::ctl
