#include "adapters/systemd/unit_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "adapters/systemd/names.hpp"
#include "adapters/systemd/unit_names.hpp"

namespace left4me {
namespace {

namespace interface = systemd::interface;

using Values = std::map<std::string, sdbus::Variant>;
/// path, arguments, ignore failures, four timestamps (start and exit, each real and monotonic), pid, code,
/// status
using Command = sdbus::Struct<std::string, std::vector<std::string>, bool, std::uint64_t, std::uint64_t,
                              std::uint64_t, std::uint64_t, std::uint32_t, std::int32_t, std::int32_t>;

template <typename T>
T value(const Values& values, const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? T{} : found->second.get<T>();
}

std::uint64_t last_exit_usec(const std::vector<Command>& commands) {
    return commands.empty() ? 0 : std::get<6>(commands.back());
}

constexpr std::int32_t exited = 1;  // CLD_EXITED of waitid(2); the others are signals

std::string ended_badly(const std::string& what, std::int32_t code, std::int32_t status) {
    if (code == 0 || (code == exited && status == 0)) return "";
    return fmt::format("{} {} {}", what, code == exited ? "ended with status" : "was killed by signal",
                       status);
}

std::string describe_failure(const Values& of_service) {
    for (const Command& command : value<std::vector<Command>>(of_service, "ExecStartPre")) {
        std::string text = ended_badly("mounting its overlay", std::get<8>(command), std::get<9>(command));
        if (!text.empty()) return text;
    }
    return ended_badly("the game", value<std::int32_t>(of_service, "ExecMainCode"),
                       value<std::int32_t>(of_service, "ExecMainStatus"));
}

UnitProperties gather(const Values& of_unit, const Values& of_service) {
    UnitProperties gathered;
    gathered.active = value<std::string>(of_unit, "ActiveState");
    gathered.result = value<std::string>(of_service, "Result");
    if (gathered.active == "failed") {
        gathered.result = corrected_result(
            gathered.result, last_exit_usec(value<std::vector<Command>>(of_service, "ExecStopPost")),
            value<std::uint64_t>(of_unit, "InactiveEnterTimestampMonotonic"),
            value<std::uint64_t>(of_service, "RestartUSec"));
    }
    gathered.detail = describe_failure(of_service);
    gathered.inactive_exit_usec = value<std::uint64_t>(of_unit, "InactiveExitTimestampMonotonic");
    return gathered;
}

}  // namespace

ActiveState parse_active_state(const std::string& word) {
    if (word == "active" || word == "reloading" || word == "refreshing") return ActiveState::Active;
    if (word == "activating" || word == "maintenance") return ActiveState::Activating;
    if (word == "deactivating") return ActiveState::Deactivating;
    if (word == "failed") return ActiveState::Failed;
    return ActiveState::Inactive;
}

ActiveState UnitProperties::active_state() const { return parse_active_state(active); }

std::string corrected_result(const std::string& result, std::uint64_t stop_post_exit_usec,
                             std::uint64_t inactive_enter_usec, std::uint64_t restart_usec) {
    if (result == "success" || stop_post_exit_usec == 0 || restart_usec == 0) return result;
    const bool waited = inactive_enter_usec > stop_post_exit_usec + restart_usec / 2;
    return waited ? "start-limit-hit" : result;
}

void ask_properties(Bus& bus, const std::string& unit,
                    std::function<void(const UnitProperties*, const BusError*)> on_properties) {
    struct Progress {
        std::function<void(const UnitProperties*, const BusError*)> tell;
        Values of_unit;
    };
    const auto progress = std::make_shared<Progress>(std::move(on_properties), Values{});
    const std::string path = unit_path(unit);
    const auto ask = [&](const char* of, Bus::OnReply on_reply) {
        bus.call(
            {systemd::service, path, interface::properties, "GetAll"},
            [of](sdbus::MethodCall& message) { message << std::string(of); }, std::move(on_reply));
    };
    // Replies arrive in this order: one connection, one sender.
    ask(interface::unit, [progress](sdbus::MethodReply& reply, const BusError* error) {
        if (error == nullptr) reply >> progress->of_unit;
    });
    ask(interface::service, [progress](sdbus::MethodReply& reply, const BusError* error) {
        if (error != nullptr) return progress->tell(nullptr, error);
        Values of_service;
        reply >> of_service;
        const UnitProperties gathered = gather(progress->of_unit, of_service);
        progress->tell(&gathered, nullptr);
    });
}

namespace {

/// Some properties of one unit, requested together. The error is that of the last one.
template <std::size_t n>
void ask_values(Bus& bus, const std::string& unit,
                const std::array<std::pair<const char*, const char*>, n>& wanted,
                std::function<void(const Values&, const BusError*)> on_values) {
    struct Progress {
        std::function<void(const Values&, const BusError*)> tell;
        Values values;
    };
    const auto progress = std::make_shared<Progress>(std::move(on_values), Values{});
    const std::string path = unit_path(unit);
    for (const auto& one : wanted) {
        const bool last = &one == &wanted.back();
        bus.call(
            {systemd::service, path, interface::properties, "Get"},
            [one](sdbus::MethodCall& message) {
                message << std::string(one.first) << std::string(one.second);
            },
            [progress, last, name = std::string(one.second)](sdbus::MethodReply& reply,
                                                             const BusError* error) {
                if (error == nullptr) reply >> progress->values[name];
                if (last) progress->tell(progress->values, error);
            });
    }
}

}  // namespace

void ask_process(Bus& bus, const std::string& server,
                 std::function<void(const UnitProcess*, const BusError*)> on_process) {
    constexpr std::array wanted{
        std::pair{interface::unit, "StateChangeTimestamp"}, std::pair{interface::unit, "InvocationID"},
        std::pair{interface::service, "NRestarts"}, std::pair{interface::service, "MainPID"}};
    ask_values(bus, server_unit(server), wanted,
               [tell = std::move(on_process)](const Values& got, const BusError* error) {
                   if (error != nullptr) return tell(nullptr, error);
                   const UnitProcess process{
                       .main_pid = value<std::uint32_t>(got, "MainPID"),
                       .restarts = value<std::uint32_t>(got, "NRestarts"),
                       .state_change_usec = value<std::uint64_t>(got, "StateChangeTimestamp"),
                       .invocation = value<std::vector<std::uint8_t>>(got, "InvocationID")};
                   tell(&process, nullptr);
               });
}

void ask_result(Bus& bus, const std::string& server, std::function<void(const std::string&)> on_result) {
    constexpr std::array wanted{std::pair{interface::unit, "InactiveEnterTimestampMonotonic"},
                                std::pair{interface::service, "RestartUSec"},
                                std::pair{interface::service, "ExecStopPost"},
                                std::pair{interface::service, "Result"}};
    ask_values(bus, server_unit(server), wanted,
               [tell = std::move(on_result)](const Values& got, const BusError*) {
                   tell(corrected_result(value<std::string>(got, "Result"),
                                         last_exit_usec(value<std::vector<Command>>(got, "ExecStopPost")),
                                         value<std::uint64_t>(got, "InactiveEnterTimestampMonotonic"),
                                         value<std::uint64_t>(got, "RestartUSec")));
               });
}

void ask_unit_files_read(Bus& bus, std::function<void(std::uint64_t usec)> on_time) {
    // By the boot, and by the latest reload since: the second is 0 if there was none.
    constexpr std::array names{"UnitsLoadStartTimestamp", "UnitsLoadTimestamp"};
    const auto latest = std::make_shared<std::uint64_t>(0);
    for (const char* name : names) {
        bus.call(
            {systemd::service, systemd::path, interface::properties, "Get"},
            [name](sdbus::MethodCall& message) {
                message << std::string(systemd::manager) << std::string(name);
            },
            [latest, is_last = name == names.back(), on_time](sdbus::MethodReply& reply,
                                                              const BusError* error) {
                if (error == nullptr) {
                    sdbus::Variant usec;
                    reply >> usec;
                    *latest = std::max(*latest, usec.get<std::uint64_t>());
                }
                if (is_last) on_time(*latest);
            });
    }
}

namespace {

/// systemd's: the bit of a processor in the byte of eight.
Cpus cpus_of(const std::vector<std::uint8_t>& mask) {
    Cpus cpus;
    for (unsigned cpu = 0; cpu < mask.size() * 8; ++cpu) {
        if ((unsigned{mask[cpu / 8]} >> (cpu % 8) & 1U) != 0) cpus.insert(cpu);
    }
    return cpus;
}

UnitLimits limits_of(const Values& got) {
    UnitLimits limits;
    const Cpus cpus = cpus_of(value<std::vector<std::uint8_t>>(got, "AllowedCPUs"));
    if (!cpus.empty()) limits.settings[cpus_setting] = to_text(cpus);
    for (const char* name : {"CPUWeight", "MemoryHigh", "MemoryMax"}) {
        const auto number = value<std::uint64_t>(got, name);
        if (number != 0 && number != std::numeric_limits<std::uint64_t>::max())
            limits.settings[name] = std::to_string(number);
    }
    if (got.contains("Nice")) limits.settings["Nice"] = std::to_string(value<std::int32_t>(got, "Nice"));
    // "NAME=VALUE", each name once.
    for (const std::string& variable : value<std::vector<std::string>>(got, "Environment")) {
        const auto equals = variable.find('=');
        const std::string name = variable.substr(0, equals);
        const NumberSetting* const number = number_setting(name);
        if (number != nullptr && number->of_environment && equals + 1 < variable.size())
            limits.settings[name] = variable.substr(equals + 1);
    }
    limits.effective = cpus_of(value<std::vector<std::uint8_t>>(got, "EffectiveCPUs"));
    limits.main_pid = value<std::uint32_t>(got, "MainPID");
    return limits;
}

}  // namespace

void ask_limits(Bus& bus, const std::string& unit, std::function<void(const UnitLimits&)> on_limits) {
    const char* const of = unit.ends_with(".slice")   ? interface::slice
                           : unit.ends_with(".scope") ? interface::scope
                                                      : interface::service;
    // Slices and scopes have no processes of their own: they do not answer the last three.
    const std::array wanted{std::pair{of, "AllowedCPUs"}, std::pair{of, "EffectiveCPUs"},
                            std::pair{of, "CPUWeight"},   std::pair{of, "MemoryHigh"},
                            std::pair{of, "MemoryMax"},   std::pair{of, "Nice"},
                            std::pair{of, "Environment"}, std::pair{of, "MainPID"}};
    ask_values(bus, unit, wanted,
               [tell = std::move(on_limits)](const Values& got, const BusError*) { tell(limits_of(got)); });
}

void ask_activation(Bus& bus, const std::string& server,
                    std::function<void(const UnitActivation&)> on_activation) {
    constexpr std::array wanted{std::pair{interface::unit, "ActiveEnterTimestamp"},
                                std::pair{interface::service, "NRestarts"}};
    ask_values(bus, server_unit(server), wanted,
               [tell = std::move(on_activation)](const Values& got, const BusError*) {
                   tell({.active_enter_usec = value<std::uint64_t>(got, "ActiveEnterTimestamp"),
                         .restarts = value<std::uint32_t>(got, "NRestarts")});
               });
}

}  // namespace left4me
