#include "operations/server_view.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <set>

#include "specs/text.hpp"

namespace left4me::operations {

namespace {

bool has_traces(const ObservedServer& server) {
    return server.managed || !server.runtime.empty() || server.stack() ||
           server.unit.active != ActiveState::Inactive || server.unit.enablement != Enablement::Disabled;
}

Json conditions_json(const View& view, const std::string& name) {
    Json conditions = Json::array();
    const auto status = view.status.servers.find(name);
    if (status == view.status.servers.end()) return conditions;
    for (const Condition& condition : status->second.conditions) {
        Json entry;
        entry["type"] = condition.type;
        entry["status"] = to_string(condition.status);
        entry["reason"] = to_string(condition.reason);
        entry["message"] = condition.message;
        entry["lastTransitionTime"] = time_text(condition.last_transition);
        entry["observedGeneration"] = condition.observed_generation;
        conditions.push_back(std::move(entry));
    }
    return conditions;
}

Json actual_json(const UnitDetails& details) {
    Json actual;
    actual["activeState"] = lower_case(to_string(details.unit.active));
    actual["subState"] = details.unit.sub;
    actual["unitFileState"] = enablement_text(details.unit.enablement);
    actual["result"] = details.unit.result.empty() ? "success" : details.unit.result;
    actual["mainPid"] = details.main_pid;
    actual["since"] = time_or_null(details.since);
    actual["restarts"] = details.restarts;
    return actual;
}

Json suspension_json(const Suspension* suspension) {
    if (suspension == nullptr) return nullptr;
    Json json;
    json["reason"] = suspension->reason;
    json["by"] = suspension->by;
    json["since"] = time_or_null(suspension->since);
    json["until"] = time_or_null(suspension->until);
    return json;
}

const char* state_word(GameState state) {
    switch (state) {
        case GameState::NotRunning:
            return "NotRunning";
        case GameState::NoAnswer:
            return "NoAnswer";
        case GameState::Answers:
            return "Answers";
    }
    return "?";
}

Json overlay_json(const ObservedServer& server) {
    Json overlay;
    overlay["mounted"] = server.mounted.has_value();
    overlay["current"] = server.current ? Json(*server.current) : Json(nullptr);
    overlay["layers"] = server.stack() ? Json(*server.stack()) : Json::array();
    return overlay;
}

}  // namespace

std::optional<std::uint16_t> port_in_use(const View& view, const std::string& name) {
    const auto observed = view.observed.servers.find(name);
    if (observed == view.observed.servers.end()) return std::nullopt;
    const ActiveState active = observed->second.unit.active;
    if (active == ActiveState::Inactive || active == ActiveState::Failed) return std::nullopt;
    return observed->second.mounted_port;
}

GameState game_state(const View& view, const std::string& name) {
    const auto observed = view.observed.servers.find(name);
    if (observed == view.observed.servers.end() || observed->second.unit.active != ActiveState::Active)
        return GameState::NotRunning;
    return observed->second.players ? GameState::Answers : GameState::NoAnswer;
}

const ObservedPlayers* players_of(const View& view, const std::string& name) {
    const auto observed = view.observed.servers.find(name);
    const bool answers = game_state(view, name) == GameState::Answers;
    return answers ? &*observed->second.players : nullptr;
}

std::string players_text(const View& view, const std::string& name) {
    const ObservedPlayers* const players = players_of(view, name);
    if (players != nullptr) return fmt::format("{}/{}", players->count, players->max);
    return game_state(view, name) == GameState::NoAnswer ? "?" : "-";
}

std::string map_text(const View& view, const std::string& name) {
    const ObservedPlayers* const players = players_of(view, name);
    if (players != nullptr) return printable_line(players->map);
    return game_state(view, name) == GameState::NoAnswer ? "?" : "-";
}

const ObservedTick* tick_of(const View& view, const std::string& name) {
    const auto observed = view.observed.servers.find(name);
    const bool is_known = observed != view.observed.servers.end() && observed->second.tick;
    return is_known ? &*observed->second.tick : nullptr;
}

unsigned tickrate_of(const View& view, const std::string& name) {
    return left4me::tickrate_of(view.desired().servers.at(name), view.observed.servers.at(name));
}

bool is_degraded(const View& view, const std::string& name) {
    const auto status = view.status.servers.find(name);
    const Condition* const tick =
        status == view.status.servers.end() ? nullptr : status->second.find("TickHealthy");
    return tick != nullptr && tick->status == ConditionStatus::False;
}

std::string tick_text(const View& view, const std::string& name) {
    const ObservedTick* const tick = tick_of(view, name);
    return tick == nullptr ? "-" : fmt::format("{:.0f}/{}", tick->rate, tickrate_of(view, name));
}

Json game_json(const View& view, const std::string& name) {
    const ObservedPlayers* const players = players_of(view, name);
    Json json;
    json["state"] = state_word(game_state(view, name));
    json["players"] = players != nullptr ? Json(players->count) : Json(nullptr);
    json["maxPlayers"] = players != nullptr ? Json(players->max) : Json(nullptr);
    json["map"] = players != nullptr ? Json(players->map) : Json(nullptr);
    json["askedAt"] = players != nullptr ? Json(time_text(view.observed.now - players->age)) : Json(nullptr);
    json["answeredAfter"] =
        players != nullptr ? Json(std::chrono::duration<double>(players->took).count()) : Json(nullptr);
    const ObservedTick* const tick = tick_of(view, name);
    json["framesPerSecond"] = tick != nullptr ? Json(tick->rate) : Json(nullptr);
    json["tickrate"] = tick != nullptr ? Json(tickrate_of(view, name)) : Json(nullptr);
    json["measuredAt"] = tick != nullptr ? Json(time_text(view.observed.now - tick->age)) : Json(nullptr);
    return json;
}

bool is_shown(const View& view, const std::string& name) {
    if (view.desired().servers.contains(name)) return true;
    const auto observed = view.observed.servers.find(name);
    return observed != view.observed.servers.end() && has_traces(observed->second);
}

std::vector<std::string> shown_servers(const View& view) {
    std::vector<std::string> names;
    for (const auto& [name, server] : view.observed.servers) {
        if (is_shown(view, name)) names.push_back(name);
    }
    return names;
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string activity_text(const ObservedUnit& unit) {
    const std::string state = lower_case(to_string(unit.active));
    if (unit.active == ActiveState::Failed && !unit.result.empty()) return state + " (" + unit.result + ")";
    return state;
}

std::string enablement_text(Enablement enablement) { return lower_case(to_string(enablement)); }

std::string age_text(TimePoint since, TimePoint now) {
    const auto seconds =
        std::max<long long>(0, std::chrono::floor<std::chrono::seconds>(now - since).count());
    if (seconds < 60) return fmt::format("{}s", seconds);
    if (seconds < 3600) return fmt::format("{}m", seconds / 60);
    if (seconds < 36'000) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
    if (seconds < 172'800) return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86'400);
}

std::string time_text(TimePoint time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

Json time_or_null(const std::optional<TimePoint>& time) {
    return time ? Json(time_text(*time)) : Json(nullptr);
}

const Condition* ready_condition(const View& view, const std::string& name) {
    const auto status = view.status.servers.find(name);
    return status == view.status.servers.end() ? nullptr : status->second.find("Ready");
}

Json server_json(const View& view, const std::string& name, const UnitDetails& details) {
    Json json;
    json["name"] = name;
    const auto desired = view.desired().servers.find(name);
    if (desired == view.desired().servers.end()) {
        json["port"] = nullptr;
        json["desired"] = nullptr;
    } else {
        json["port"] = desired->second.port;
        json["desired"] = {{"state", to_string(desired->second.state)},
                           {"blueprint", desired->second.blueprint},
                           {"revision", view.desired().revision}};
    }
    json["actual"] = actual_json(details);
    const auto port = port_in_use(view, name);
    json["actual"]["port"] = port ? Json(*port) : Json(nullptr);
    json["game"] = game_json(view, name);
    const auto observed = view.observed.servers.find(name);
    json["overlay"] =
        overlay_json(observed == view.observed.servers.end() ? ObservedServer{} : observed->second);
    json["conditions"] = conditions_json(view, name);
    json["suspended"] = suspension_json(suspension_of(view.intent.suspended, name, view.observed.now));
    return json;
}

Result<UnitDetails> unit_details(View& view, const std::string& name) {
    auto details = view.machine->units().details(name);
    if (!details) return fail(ErrorKind::HostUnavailable, details.error());
    return std::move(*details);
}

Result<std::map<std::string, UnitDetails>> unit_details(View& view, const std::vector<std::string>& names) {
    auto details = view.machine->units().details(names);
    if (!details) return fail(ErrorKind::HostUnavailable, details.error());
    return std::move(*details);
}

std::vector<const Action*> actions_of(const View& view, const std::string& name) {
    std::vector<const Action*> actions;
    for (const Action& action : view.plan.actions) {
        if (action.subject == Subject{Kind::Server, name}) actions.push_back(&action);
    }
    return actions;
}

std::string why_text(const View& view, const std::string& name) {
    const auto actions = actions_of(view, name);
    if (!actions.empty()) return actions.front()->reason;
    if (const Suspension* const suspension = suspension_of(view.intent.suspended, name, view.observed.now)) {
        return suspension_text(*suspension);
    }
    const Condition* const ready = ready_condition(view, name);
    if (ready != nullptr && ready->status != ConditionStatus::True) return ready->message;
    return is_degraded(view, name) ? view.status.servers.at(name).find("TickHealthy")->message : "";
}

}  // namespace left4me::operations
