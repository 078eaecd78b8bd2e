#include "operations/usage.hpp"

#include "adapters/cgroups/usage.hpp"
#include "adapters/systemd/unit_names.hpp"
#include "operations/players.hpp"
#include "operations/server_view.hpp"

namespace left4me::operations {

namespace {

Json or_null(const auto& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

std::map<std::string, ServerUsage> UsageSampler::sample(const Paths& paths,
                                                        const std::vector<std::string>& servers) {
    const auto before = std::exchange(cpu_, {});
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - std::exchange(at_, now);
    std::map<std::string, ServerUsage> all;
    for (const std::string& server : servers) {
        const cgroups::Usage usage = cgroups::read_usage(paths, server_unit(server));
        ServerUsage& said = all[server];
        said.memory_bytes = usage.memory_bytes;
        if (!usage.cpu) continue;
        cpu_[server] = *usage.cpu;
        const auto known = before.find(server);
        // A unit that was started again counts from nothing.
        if (known == before.end() || *usage.cpu < known->second) continue;
        said.cores = std::chrono::duration<double>(*usage.cpu - known->second) / passed;
    }
    return all;
}

ServerUsage sum_of(const std::map<std::string, ServerUsage>& usage) {
    ServerUsage sum;
    for (const auto& [server, one] : usage) {
        if (one.cores) sum.cores = sum.cores.value_or(0) + *one.cores;
        if (one.memory_bytes) sum.memory_bytes = sum.memory_bytes.value_or(0) + *one.memory_bytes;
    }
    return sum;
}

Json usage_json(const View& view, const std::map<std::string, ServerUsage>& usage) {
    std::vector<std::string> names;
    for (const auto& [name, one] : usage) names.push_back(name);
    Json json = players_json(view, names);
    const ServerUsage sum = sum_of(usage);
    json["cores"] = or_null(sum.cores);
    json["memory"] = or_null(sum.memory_bytes);
    for (Json& server : json["servers"]) {
        const std::string name = server["name"];
        const ServerUsage& one = usage.at(name);
        const Condition* const ready = ready_condition(view, name);
        const auto observed = view.observed.servers.find(name);
        const ObservedUnit unit =
            observed == view.observed.servers.end() ? ObservedUnit{} : observed->second.unit;
        server["ready"] = ready == nullptr ? Json(nullptr) : Json(to_string(ready->status));
        server["cores"] = or_null(one.cores);
        server["memory"] = or_null(one.memory_bytes);
        server["restarts"] = unit.restarts;
        server["since"] = time_or_null(unit.active_since);
    }
    return json;
}

}  // namespace left4me::operations
