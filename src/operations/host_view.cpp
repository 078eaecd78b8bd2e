#include "operations/host_view.hpp"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "adapters/files.hpp"
#include "adapters/systemd/unit_names.hpp"
#include "specs/manifest.hpp"
#include "specs/settings_text.hpp"

namespace left4me::operations {

namespace {

/// The 19th field of /proc/PID/stat, proc(5); the second, a name in parentheses, may contain anything.
std::optional<int> nice_of(std::uint32_t pid) {
    if (pid == 0) return std::nullopt;
    constexpr std::size_t longest = 4096;
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid), longest);
    const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(stat->substr(name_end + 1));
    std::string field;
    for (int number = 3; number <= 19; ++number) fields >> field;
    int nice = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), nice);
    return error == std::errc{} ? std::optional(nice) : std::nullopt;
}

const UnitSettings& asked_of(const Tuning& tuning, const std::string& unit) {
    static const UnitSettings none;
    if (const auto own = tuning.find(unit); own != tuning.end()) return own->second;
    const auto all = tuned_name(unit) ? tuning.find(tuned_server({})) : tuning.end();
    return all == tuning.end() ? none : all->second;
}

Json to_json(const UnitSettings& settings) {
    Json json = Json::object();
    for (const auto& [name, value] : settings) json[name] = value;
    return json;
}

Json cpus_json(const std::optional<Cpus>& cpus) { return cpus ? Json(to_text(*cpus)) : Json(nullptr); }

}  // namespace

std::string UnitTuning::difference() const {
    std::string text;
    const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    for (const auto& [name, value] : asked) {
        const auto has = limits.settings.find(name);
        if (has == limits.settings.end() || has->second != value) {
            add(fmt::format("{}: systemd has {}", setting_name(name),
                            has == limits.settings.end() ? "none" : setting_value(name, has->second)));
        } else if (name == "Nice" && running_nice && std::to_string(*running_nice) != value) {
            add(fmt::format("Nice: {} until its next start", *running_nice));
        }
    }
    return text;
}

Result<std::vector<UnitTuning>> unit_tunings(View& view) {
    const Tuning& tuning = view.desired().tuning;
    std::vector<std::string> names{games_slice};
    for (const std::string_view unit : system_units) {
        if (tuning.contains(std::string(unit))) names.emplace_back(unit);
    }
    for (const auto& [name, server] : view.observed.servers) {
        if (server.unit.active == ActiveState::Active) names.push_back(server_unit(name));
    }
    const auto limits = view.machine->units().limits(names);
    if (!limits) return fail(ErrorKind::HostUnavailable, limits.error());
    std::vector<UnitTuning> units;
    for (const std::string& name : names) {
        const UnitLimits& has = limits->at(name);
        UnitSettings asked = asked_of(tuning, name);
        asked.erase(start_parallel_setting);  // of the host, not of one game
        units.push_back({name, std::move(asked), has, nice_of(has.main_pid)});
    }
    return units;
}

std::string settings_text(const UnitSettings& settings) {
    return settings.empty() ? "-" : left4me::settings_text(settings);
}

std::string cpus_text(const std::optional<Cpus>& cpus) { return cpus ? to_text(*cpus) : "all"; }

std::string tuning_trouble(const View& view) {
    for (const Action& action : view.plan.actions) {
        if (action.subject.kind == Kind::Host) return action.reason;
    }
    if (const Suspension* const suspension = suspension_of_all(view.intent.suspended, view.observed.now))
        return suspension_text(*suspension);
    return {};
}

Json host_json(const View& view, const std::string& name, const std::vector<UnitTuning>& units) {
    const HostManifest& host = view.in_force.set.hosts.at(name);
    Json json;
    json["name"] = name;
    json["cpus"] = {{"system", cpus_json(host.system_cpus)}, {"games", cpus_json(host.game_cpus)}};
    json["games"] = to_json(host.games);
    json["labeled"] = Json::array();
    for (const LabeledSettings& labeled : host.labeled)
        json["labeled"].push_back({{"labels", labeled.labels}, {"settings", to_json(labeled.settings)}});
    json["startParallel"] = host.start_parallel ? Json(*host.start_parallel) : Json(nullptr);
    const std::string trouble = tuning_trouble(view);
    json["tuned"] = trouble.empty();
    json["why"] = trouble.empty() ? Json(nullptr) : Json(trouble);
    json["units"] = Json::array();
    for (const UnitTuning& unit : units) {
        json["units"].push_back(
            {{"unit", unit.unit},
             {"asked", to_json(unit.asked)},
             {"systemd", to_json(unit.limits.settings)},
             {"effectiveCpus",
              unit.limits.effective.empty() ? Json(nullptr) : Json(to_text(unit.limits.effective))},
             {"runningNice", unit.running_nice ? Json(*unit.running_nice) : Json(nullptr)}});
    }
    return json;
}

}  // namespace left4me::operations
