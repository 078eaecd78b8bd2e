#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "specs/cpus.hpp"
#include "specs/name.hpp"

/// What left4me may set of which units, and how it writes that: the reconciler compares it, and
/// left4me-helper writes it as root. The grammar is closed: what is not in it is refused.
namespace left4me {

/// systemd's names of settings → values, as {"MemoryMax", "2147483648"}.
using UnitSettings = std::map<std::string, std::string>;
/// By unit; a template stands for all its instances.
using Tuning = std::map<std::string, UnitSettings>;

/// The only file of a unit's directory of drop-ins that left4me writes and removes.
inline constexpr const char* tuning_file = "50-left4me.conf";

/// All games; and everything that is not a game, in three units.
inline constexpr const char* games_slice = "left4me.slice";
inline constexpr std::array<std::string_view, 3> system_units = {"init.scope", "system.slice", "user.slice"};
inline constexpr std::string_view tuned_server_prefix = "left4me-server@";
inline constexpr std::string_view tuned_server_suffix = ".service";

/// All servers if `name` is empty. An instance's file stands in the place of the template's: it is of the
/// same name.
inline std::string tuned_server(std::string_view name) {
    return std::string(tuned_server_prefix).append(name).append(tuned_server_suffix);
}

/// The name in such a unit, empty for all; nullopt: it is no server's.
inline std::optional<std::string_view> tuned_name(std::string_view unit) {
    if (!unit.starts_with(tuned_server_prefix) || !unit.ends_with(tuned_server_suffix)) return std::nullopt;
    unit.remove_prefix(tuned_server_prefix.size());
    if (unit.size() < tuned_server_suffix.size()) return std::nullopt;
    unit.remove_suffix(tuned_server_suffix.size());
    if (!unit.empty() && !is_valid_name(unit)) return std::nullopt;
    return unit;
}

inline bool may_be_tuned(std::string_view unit) {
    return unit == games_slice || tuned_name(unit) ||
           std::find(system_units.begin(), system_units.end(), unit) != system_units.end();
}

/// How many servers come up at the same time at a boot. Not systemd's, but what left4me-turn does.
inline constexpr const char* start_parallel_setting = "StartParallel";

/// A setting whose value is a whole number.
struct NumberSetting {
    std::string_view name;
    std::int64_t minimum = 0;
    std::int64_t maximum = 0;
    bool of_environment = false;  ///< a variable of the unit's environment, and no setting that systemd knows
};
inline constexpr std::int64_t min_memory = std::int64_t{64} << 20U;
inline constexpr std::int64_t max_memory = std::int64_t{1} << 40U;
/// left4me-sandbox reads it.
inline constexpr const char* dscp_setting = "LEFT4ME_DSCP";
inline constexpr std::int64_t max_dscp = 63;
/// A game must neither starve the rest of the host nor be without what it needs to start.
inline constexpr std::array<NumberSetting, 6> number_settings{{{"CPUWeight", 1, 10'000},
                                                               {"MemoryHigh", min_memory, max_memory},
                                                               {"MemoryMax", min_memory, max_memory},
                                                               {"Nice", -15, 19},
                                                               {dscp_setting, 0, max_dscp, true},
                                                               {start_parallel_setting, 1, 1000}}};
inline constexpr const char* cpus_setting = "AllowedCPUs";

/// nullptr for other names.
inline const NumberSetting* number_setting(std::string_view name) {
    const auto* const found = std::find_if(number_settings.begin(), number_settings.end(),
                                           [name](const NumberSetting& one) { return one.name == name; });
    return found == number_settings.end() ? nullptr : found;
}

/// Whether left4me may set this: processors of all units, the rest of servers alone.
inline bool is_valid_setting(std::string_view unit, std::string_view name, std::string_view value) {
    if (!may_be_tuned(unit)) return false;
    if (name == cpus_setting) {
        const auto cpus = parse_cpus(value);
        return cpus && to_text(*cpus) == value;
    }
    const NumberSetting* const setting = number_setting(name);
    if (setting == nullptr || !tuned_name(unit)) return false;
    std::int64_t number = 0;
    const char* const last = value.data() + value.size();
    const auto [end, error] = std::from_chars(value.data(), last, number);
    return error == std::errc{} && end == last && std::to_string(number) == value &&
           number >= setting->minimum && number <= setting->maximum;
}

/// The text of the unit's tuning_file.
std::string tuning_text(std::string_view unit, const UnitSettings& settings);

}  // namespace left4me
