#include <algorithm>
#include <string>
#include <utility>

#include "reconciler/desired.hpp"

namespace left4me {
namespace {

bool has_labels(const Server& server, const std::map<std::string, std::string>& labels) {
    return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
        const auto found = server.metadata.labels.find(label.first);
        return found != server.metadata.labels.end() && found->second == label.second;
    });
}

}  // namespace

Tuning make_tuning(const HostManifest& host, const std::map<std::string, Server>& servers) {
    Tuning tuning;
    if (host.system_cpus) {
        for (const std::string_view unit : system_units)
            tuning[std::string(unit)][cpus_setting] = to_text(*host.system_cpus);
    }
    if (host.game_cpus) tuning[games_slice][cpus_setting] = to_text(*host.game_cpus);
    UnitSettings all = host.games;
    if (host.start_parallel) all[start_parallel_setting] = std::to_string(*host.start_parallel);
    if (!all.empty()) tuning[tuned_server({})] = all;
    for (const auto& [name, server] : servers) {
        UnitSettings settings = all;
        for (const LabeledSettings& labeled : host.labeled) {
            if (!has_labels(server, labeled.labels)) continue;
            for (const auto& [setting, value] : labeled.settings) settings[setting] = value;
        }
        if (settings != all) tuning[tuned_server(name)] = std::move(settings);
    }
    return tuning;
}

}  // namespace left4me
