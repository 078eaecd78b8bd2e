#include "l4d2ctl/acting.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "l4d2ctl/narrator.hpp"
#include "operations/reconcile.hpp"
#include "operations/wait.hpp"

namespace left4me::ctl {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds default_patience = std::chrono::minutes(2);

/// The last line on a terminal: how the host stands to the manifests now.
std::string standing_text(const Plan& remaining) {
    if (!remaining.empty()) return count_text(remaining);
    const std::size_t count = remaining.agreeing_servers;
    return (count == 1 ? "1 server agrees" : fmt::format("{} servers agree", count)) +
           unready_text(remaining);
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

}  // namespace

operations::Result<milliseconds> parse_patience(const std::string& text) {
    return text.empty() ? default_patience : operations::parse_patience(text);
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

Result<Exit> reconcile(Session& session, const Patience& patience) {
    const auto in_force = operations::take_revision(session);
    if (!in_force) return std::unexpected(in_force.error());
    tell_trouble(*in_force);
    const auto pass = operations::make_pass(session, *in_force,
                                            {.retry_now = !session.unattended, .wrapper = narrated(session)});
    if (!pass) return std::unexpected(pass.error());
    tell_rest(session, *pass);
    const std::vector<Outcome>& outcomes = pass->ended.outcomes;
    const bool failed =
        std::any_of(outcomes.begin(), outcomes.end(), [](const Outcome& outcome) { return !outcome.done; });
    if (failed) return Exit::Refused;
    if (patience) {
        const std::vector<std::string> names = operations::wanted_running(*pass->target.desired);
        if (auto waited = operations::wait_until_ready(session, names, *patience); !waited)
            return std::unexpected(waited.error());
    }
    return exit_for(in_force->trouble);
}

void tell_effects(const Session& session, const Proposal& proposal, const std::string& suffix) {
    for (const operations::Effect& effect : proposal.effects) {
        const Paint paint = effect.change == operations::Change::Unchanged ? Paint::Dim : Paint::Bold;
        print(to_string(effect.object) + " " + session.out.paint(paint, to_string(effect.change)) + suffix +
              "\n");
    }
    (void)std::fflush(stdout);
}

Result<Exit> edit_and_reconcile(Session& session, const std::function<operations::Result<Proposal>()>& make,
                                const Patience& patience) {
    const auto edited = operations::commit(session, make);
    if (!edited) return std::unexpected(edited.error());
    tell_effects(session, *edited);
    // Even when nothing was changed: the host may have drifted from what the manifests say.
    const auto lock = operations::lock_host(session);
    if (!lock) return std::unexpected(lock.error());
    return reconcile(session, patience);
}

}  // namespace left4me::ctl
