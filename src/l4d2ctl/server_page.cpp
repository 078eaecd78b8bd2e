#include "l4d2ctl/server_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "l4d2ctl/plan_text.hpp"
#include "operations/server_view.hpp"
#include "specs/grammars/time_of_day.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

using operations::activity_text;
using operations::age_text;
using operations::enablement_text;
using operations::time_text;

using Rows = std::vector<std::vector<Cell>>;

Cell headline_state(const Condition* ready) {
    if (ready == nullptr) return {"not in the manifests", Paint::Yellow};
    switch (ready->status) {
        case ConditionStatus::True:
            return {"● Ready", Paint::Green};
        case ConditionStatus::False:
            return {"● Not ready", Paint::Red};
        case ConditionStatus::Unknown:
            return {"● Not known", Paint::Yellow};
    }
    return {};
}

std::string rollout_text(const Rollout& rollout) {
    std::string text = to_string(rollout.policy);
    if (rollout.deadline)
        text += ", at the latest after " + age_text(TimePoint(), TimePoint(*rollout.deadline));
    if (rollout.deadline_at) text += ", at the latest at " + time_of_day_text(*rollout.deadline_at);
    if (rollout.max_players > 0) text += fmt::format(", with at most {} players", rollout.max_players);
    if (rollout.window)
        text += fmt::format(", between {} and {}", time_of_day_text(rollout.window->from),
                            time_of_day_text(rollout.window->until));
    return text;
}

/// "05:00 Restart, next at 2026-03-01 05:00".
std::string scheduled_text(const View& view, const ScheduleEntry& entry) {
    const Observed& observed = view.observed;
    return fmt::format(
        "{} {}, next at {}", entry.at, printable(entry.command.value_or("Restart")),
        local_text(observed.local, observed.local.next(entry.times, observed.now), observed.now));
}

Rows wanted_rows(const View& view, const std::string& name) {
    const auto found = view.desired().servers.find(name);
    if (found == view.desired().servers.end()) return {{{"Wanted"}, {"nothing: no manifest names it"}}};
    const DesiredServer& server = found->second;
    const Server& manifest = view.in_force.set.servers.at(name);
    std::string labels;
    for (const auto& [key, value] : manifest.metadata.labels)
        labels += (labels.empty() ? "" : ", ") + key + "=" + value;
    Rows rows{{{"Wanted"},
               {fmt::format("{} on port {}, blueprint {}", to_string(server.state), server.port,
                            server.blueprint)}},
              {{"Rollout"}, {rollout_text(server.rollout)}},
              {{"Drift"}, {to_string(server.drift)}}};
    if (!labels.empty()) rows.push_back({{"Labels"}, {labels}});
    rows.push_back(
        {{"Manifest"}, {fmt::format("{}:{}", manifest.origin.where.file, manifest.origin.where.line)}});
    for (const ScheduleEntry& entry : server.schedule)
        rows.push_back({{"Scheduled"}, {scheduled_text(view, entry)}});
    rows.push_back({{"Revision"}, {view.desired().revision}});
    if (const Suspension* const suspension = suspension_of(view.intent.suspended, name, view.observed.now)) {
        rows.push_back({{"Suspended"}, {printable(suspension_text(*suspension)), Paint::Yellow}});
    }
    return rows;
}

std::string actual_text(const View& view, const UnitDetails& details) {
    std::string text = activity_text(details.unit);
    if (!details.unit.sub.empty() && details.unit.active != ActiveState::Failed)
        text += " (" + details.unit.sub + ")";
    if (details.since) {
        text += fmt::format(" since {}, {} ago", time_text(*details.since),
                            age_text(*details.since, view.observed.now));
    }
    return text;
}

std::string game_text(const View& view, const std::string& name) {
    const ObservedPlayers* const players = operations::players_of(view, name);
    if (players == nullptr) return "unknown: the game does not answer, or left4me-probe does not ask it";
    return fmt::format("{} of {}, on {}, asked {} ago", players->count, players->max,
                       operations::map_text(view, name),
                       age_text(view.observed.now - players->age, view.observed.now));
}

Rows actual_rows(const View& view, const std::string& name, const UnitDetails& details) {
    Rows rows{{{"Actual"}, {actual_text(view, details)}},
              {{"At boot"},
               {details.unit.enablement == Enablement::Enabled
                    ? "enabled: it starts at boot"
                    : enablement_text(details.unit.enablement) + ": it does not start at boot"}}};
    if (operations::game_state(view, name) != operations::GameState::NotRunning)
        rows.push_back({{"Players"}, {game_text(view, name)}});
    if (const ObservedTick* const tick = operations::tick_of(view, name))
        rows.push_back({{"Tick"},
                        {fmt::format("{:.1f} of {} frames per second, asked {} ago", tick->rate,
                                     operations::tickrate_of(view, name),
                                     age_text(view.observed.now - tick->age, view.observed.now))}});
    if (details.main_pid != 0) rows.push_back({{"Process"}, {fmt::format("pid {}", details.main_pid)}});
    if (details.restarts != 0)
        rows.push_back({{"Restarts"}, {fmt::format("{} by systemd", details.restarts)}});
    return rows;
}

/// The mounted stack, each layer with whether the manifests still ask for it; or the stack that would be
/// mounted.
std::string layers_text(const ObservedServer& server, const TargetServer* target, const Terminal& terminal) {
    const std::vector<std::string> none;
    const bool known = target != nullptr && target->rendering.has_value();
    const std::vector<std::string>& wanted = known ? (*target->rendering)->layers() : none;
    std::string text;
    const auto& stack = server.stack();
    if (!stack) {
        text = "not mounted; the next start mounts\n";
        for (const std::string& layer : wanted) text += "  " + layer + "\n";
        return known ? text : "not mounted\n";
    }
    const bool same = *stack == wanted;
    text = server.mounted ? "mounted" : "unmounted by hand, but the game still has it";
    text += !known ? "\n" : same ? ", as wanted\n" : ", but not the target\n";
    for (const std::string& layer : *stack) {
        const bool stays = !known || std::find(wanted.begin(), wanted.end(), layer) != wanted.end();
        text += stays ? "  " + layer + "\n" : terminal.paint(Paint::Red, "- " + layer) + "\n";
    }
    for (const std::string& layer : wanted) {
        const bool there = std::find(stack->begin(), stack->end(), layer) != stack->end();
        if (!there) text += terminal.paint(Paint::Green, "+ " + layer) + "\n";
    }
    return text;
}

std::string conditions_text(const View& view, const std::string& name, const Terminal& terminal) {
    const auto status = view.status.servers.find(name);
    if (status == view.status.servers.end()) return {};
    Rows rows;
    for (const Condition& condition : status->second.conditions) {
        const bool should_be = condition.type == "Ready" || condition.type == "TickHealthy";
        const bool good = condition.status == ConditionStatus::Unknown ||
                          (condition.status == ConditionStatus::True) == should_be;
        rows.push_back({{condition.type},
                        {to_string(condition.status), good ? Paint::Green : Paint::Yellow},
                        {to_string(condition.reason)},
                        {age_text(condition.last_transition, view.observed.now)},
                        {printable(condition.message)}});
    }
    Terminal whole = terminal;
    whole.width = std::string::npos;  // a truncated message helps nobody here
    return table(rows, whole);
}

std::string differences_text(const View& view, const std::string& name, const Terminal& terminal) {
    const PlanColumns columns(view.plan);
    std::string text;
    for (const Action* const action : actions_of(view, name))
        text += action_line(*action, columns, terminal) + "\n";
    return text;
}

}  // namespace

std::string server_page(const View& view, const std::string& name, const UnitDetails& details,
                        const Terminal& terminal) {
    const Cell state = headline_state(ready_condition(view, name));
    std::string text = terminal.paint(Paint::Bold, "server/" + name) + "   " +
                       terminal.paint(state.paint, state.text) + "\n\n";
    Rows rows = wanted_rows(view, name);
    const Rows actual = actual_rows(view, name, details);
    rows.insert(rows.end(), actual.begin(), actual.end());
    if (const auto seen = view.observed.servers.find(name);
        seen != view.observed.servers.end() && !seen->second.set_aside.empty()) {
        rows.push_back({{"Set aside"}, {printable(seen->second.set_aside), Paint::Yellow}});
    }
    for (auto& row : rows) row.front().paint = Paint::Dim;
    Terminal whole = terminal;
    whole.width = std::string::npos;
    text += table(rows, whole);

    const auto observed = view.observed.servers.find(name);
    if (observed != view.observed.servers.end()) {
        const TargetServer* const target = view.target.find(name);
        text += section("Layers, uppermost first", layers_text(observed->second, target, terminal), terminal);
        if (target != nullptr && !target->rendering) {
            text += section("Cannot be rendered", target->rendering.error().message, terminal);
        }
    }
    text += section("Conditions", conditions_text(view, name, terminal), terminal);
    text += section("Differences", differences_text(view, name, terminal), terminal);
    return text + section("What to do next", next_steps(view, name, details), terminal);
}

std::string next_steps(const View& view, const std::string& name, const UnitDetails& details) {
    std::set<std::string> steps;
    for (const Action* const action : actions_of(view, name)) {
        if (is_effect(action->verb)) {
            steps.insert("sudo l4d2ctl reconcile   makes the host agree with the manifests");
        } else if (action->code == HoldReason::ApprovalRequired) {
            steps.insert(
                fmt::format("sudo l4d2ctl approve {}   approves the whole revision", action->to_approve));
        } else if (action->code == HoldReason::CanaryPending && !action->wait) {
            steps.insert("sudo l4d2ctl reconcile   tries the change again");
        } else if (action->code == HoldReason::RolloutPending || action->code == HoldReason::CanaryPending) {
            steps.insert(
                fmt::format("sudo l4d2ctl restart {}   applies the change now; players are kicked", name));
        } else if (action->code == HoldReason::Scheduled || action->code == HoldReason::RestartPending ||
                   action->code == HoldReason::Degraded) {
            steps.insert(fmt::format("sudo l4d2ctl restart {}   restarts it now; players are kicked", name));
            if (action->code == HoldReason::RestartPending)
                steps.insert(fmt::format("sudo l4d2ctl restart {} --cancel   withdraws the request", name));
        } else if (action->code == HoldReason::ResetPending) {
            steps.insert(fmt::format("sudo l4d2ctl reset {} --cancel   withdraws the request", name));
        } else if (action->code == HoldReason::Draining) {
            steps.insert(fmt::format("sudo l4d2ctl stop {}   stops it now; players are kicked", name));
            steps.insert(fmt::format("sudo l4d2ctl start {}   lets it run on", name));
        } else if (action->code == HoldReason::Suspended) {
            steps.insert(fmt::format("sudo l4d2ctl resume {}   lets left4me act again",
                                     view.intent.suspended.servers.contains(name) ? name : "--all"));
        } else if (action->code == HoldReason::BackOff) {
            steps.insert("sudo l4d2ctl reconcile   retries failures immediately");
            steps.insert(fmt::format("l4d2ctl logs {} --lines 100   shows why it failed", name));
        } else if (action->code == HoldReason::Shadowed) {
            steps.insert(fmt::format(
                "sudo l4d2ctl restart {}   starts from the files of its layers again; players are kicked",
                name));
        } else if (action->code == HoldReason::NotInstalled) {
            steps.insert("install the game in /var/lib/left4me/installation");
        }
    }
    if (details.unit.active == ActiveState::Failed || details.restarts > 0) {
        steps.insert(fmt::format("l4d2ctl logs {} --lines 100   shows why it failed", name));
    }
    std::string text;
    for (const std::string& step : steps) text += step + "\n";
    return text;
}

}  // namespace left4me::ctl
