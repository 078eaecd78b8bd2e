#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// The servers to show: those of the manifests, and those that only the host knows. By name.
std::vector<std::string> shown_servers(const View& view);
bool is_shown(const View& view, const std::string& name);

/// `active`, `failed (start-limit-hit)`.
std::string activity_text(const ObservedUnit& unit);
/// Whether it starts at boot: `enabled`, `disabled`, `masked`.
std::string enablement_text(Enablement enablement);
/// In systemd's spelling, for JSON: `active`, `activating`.
std::string lower_case(std::string text);

/// The port of the running game; a change of the manifest takes effect at the next start. nullopt: not
/// running, or unknown.
std::optional<std::uint16_t> port_in_use(const View& view, const std::string& name);

/// What a server answers, if it runs and is asked.
enum class GameState { NotRunning, NoAnswer, Answers };
GameState game_state(const View& view, const std::string& name);
/// What it answered; nullptr: it does not run, or does not answer.
const ObservedPlayers* players_of(const View& view, const std::string& name);
/// `3/8`; `?` without an answer, `-` when it does not run.
std::string players_text(const View& view, const std::string& name);
/// The name of the map; `?` and `-` as above.
std::string map_text(const View& view, const std::string& name);
/// The frames per second that the game had when it was asked, of those that it should have: `30/30`; `-`: it
/// does not run, nobody plays, or its console cannot be asked.
std::string tick_text(const View& view, const std::string& name);
/// The members `state`, `players`, `maxPlayers`, `map`, `askedAt` and `answeredAfter` (seconds), and of its
/// tick `framesPerSecond`, `tickrate` and `measuredAt`; all but the first are null without an answer.
Json game_json(const View& view, const std::string& name);

/// `45s`, `12m`, `3h12m`, `8d`.
std::string age_text(TimePoint since, TimePoint now);
/// `2026-03-01T12:00:00Z`.
std::string time_text(TimePoint time);
Json time_or_null(const std::optional<TimePoint>& time);

/// What the console of the game said last; nullptr: nothing, or not lately.
const ObservedTick* tick_of(const View& view, const std::string& name);
/// The frames per second that the game of a server in the manifests should have.
unsigned tickrate_of(const View& view, const std::string& name);
/// It runs more slowly than it should.
bool is_degraded(const View& view, const std::string& name);

/// The current Ready condition, or nullptr for a server that is not in the manifests.
const Condition* ready_condition(const View& view, const std::string& name);

/// What an operator wants to know next: the difference, or why it is not ready or too slow. Nothing for
/// a healthy server.
std::string why_text(const View& view, const std::string& name);

/// The object that `status NAME --json` prints; docs/cli.md documents its fields.
Json server_json(const View& view, const std::string& name, const UnitDetails& details);

/// UnitDetails of one server; HostUnavailable if systemd does not answer.
Result<UnitDetails> unit_details(View& view, const std::string& name);
/// Several at once, by name.
Result<std::map<std::string, UnitDetails>> unit_details(View& view, const std::vector<std::string>& names);

/// The actions of the plan that are about this server.
std::vector<const Action*> actions_of(const View& view, const std::string& name);

}  // namespace left4me::operations
