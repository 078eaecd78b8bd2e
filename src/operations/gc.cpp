#include "operations/gc.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "operations/artifacts.hpp"
#include "operations/server_view.hpp"
#include "reconciler/apply_outcomes.hpp"

namespace left4me::operations {

namespace {

Json verdict_json(const View& view, const ArtifactVerdict& verdict) {
    const auto info = artifact_info(view, verdict.path);
    const auto built = view.observed.built.find(verdict.path);
    Json json{{"subject", to_string(verdict.subject)},
              {"path", verdict.path},
              {"bytes", info ? Json(info->bytes) : Json(nullptr)},
              {"sharedBytes", info ? Json(info->shared_bytes) : Json(nullptr)},
              {"built", built == view.observed.built.end() ? Json(nullptr) : Json(time_text(built->second))}};
    Json keeps = Json::array();
    for (const Keep& keep : verdict.keeps) {
        keeps.push_back({{"reason", to_string(keep.reason)}});
        if (!keep.server.empty()) keeps.back()["server"] = keep.server;
    }
    json["keeps"] = std::move(keeps);
    Json after = Json::array();
    for (const auto& [server, verb] : verdict.after)
        after.push_back({{"server", server}, {"verb", to_string(verb)}});
    json["after"] = std::move(after);
    return json;
}

}  // namespace

std::vector<ArtifactVerdict> judge_artifacts(const View& view) {
    auto verdicts =
        left4me::judge_artifacts(view.target, view.observed, load_memory(view.status), view.intent);
    std::stable_partition(verdicts.begin(), verdicts.end(),
                          [](const ArtifactVerdict& verdict) { return verdict.goes; });
    return verdicts;
}

std::size_t remaining(const std::vector<ArtifactVerdict>& verdicts, const View& left) {
    return static_cast<std::size_t>(
        std::count_if(verdicts.begin(), verdicts.end(), [&left](const ArtifactVerdict& verdict) {
            return verdict.goes && left.observed.artifacts.contains(verdict.path);
        }));
}

std::uint64_t bytes_that_go(const View& view, const std::vector<ArtifactVerdict>& verdicts) {
    std::uint64_t bytes = 0;
    for (const ArtifactVerdict& verdict : verdicts) {
        const auto info = verdict.goes ? artifact_info(view, verdict.path) : std::nullopt;
        if (info) bytes += info->bytes;
    }
    return bytes;
}

std::string why_text(const View& view, const ArtifactVerdict& verdict) {
    std::string text;
    const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
    if (verdict.goes) add("nothing uses it any more");
    for (const auto& [server, verb] : verdict.after)
        add(fmt::format("after the {} of server/{}", to_string(verb), server));
    for (const Keep& keep : verdict.keeps) {
        const auto rollback = view.intent.rollbacks.find(verdict.subject.name);
        const bool rolled_back_to =
            keep.reason == KeepReason::RolledBack && rollback != view.intent.rollbacks.end();
        add(rolled_back_to ? rollback_text(rollback->second) : to_text(keep));
    }
    return text;
}

Json gc_json(const View& view, const std::vector<ArtifactVerdict>& verdicts, const View* left) {
    Json goes = Json::array();
    Json stays = Json::array();
    for (const ArtifactVerdict& verdict : verdicts) {
        Json one = verdict_json(view, verdict);
        if (verdict.goes)
            one["removed"] = left != nullptr && !left->observed.artifacts.contains(verdict.path);
        (verdict.goes ? goes : stays).push_back(std::move(one));
    }
    return {{"dryRun", left == nullptr},
            {"bytes", bytes_that_go(view, verdicts)},
            {"goes", std::move(goes)},
            {"stays", std::move(stays)}};
}

}  // namespace left4me::operations
