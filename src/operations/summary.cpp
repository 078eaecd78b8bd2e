#include "operations/summary.hpp"

#include <algorithm>

#include "operations/artifacts.hpp"
#include "operations/server_view.hpp"

namespace left4me::operations {

namespace {

const char* to_state(SourceErrorKind error_kind) {
    return error_kind == SourceErrorKind::None ? "InForce" : to_string(error_kind);
}

}  // namespace

Summary summary_of(const Context& context, const View& view) {
    Summary summary{.source = context.source->name(), .state = to_state(view.in_force.error_kind)};
    for (const std::string& name : shown_servers(view)) {
        const auto observed = view.observed.servers.find(name);
        if (observed != view.observed.servers.end() && observed->second.unit.active == ActiveState::Active)
            ++summary.running;
        const auto actions = actions_of(view, name);
        const bool acts =
            std::any_of(actions.begin(), actions.end(), [](const Action* a) { return is_effect(a->verb); });
        if (actions.empty()) {
            ++summary.agree;
        } else if (acts) {
            ++summary.differ;
        } else {
            ++summary.held;
        }
    }
    return summary;
}

Json summary_json(const View& view, const Summary& summary) {
    Json json;
    json["source"] = summary.source;
    json["state"] = summary.state;
    json["revision"] = view.in_force.snapshot.revision;
    json["error"] = view.in_force.error.empty() ? Json(nullptr) : Json(view.in_force.error);
    json["servers"] = {{"running", summary.running},
                       {"agree", summary.agree},
                       {"differ", summary.differ},
                       {"held", summary.held}};
    json["lastPass"] = time_or_null(view.status.last_pass);
    const auto& all = view.intent.suspended.all;
    json["suspended"] = all ? Json{{"reason", all->reason}, {"by", all->by}} : Json(nullptr);
    Json rolled_back = Json::array();
    for (const auto& [overlay, rollback] : view.intent.rollbacks) {
        rolled_back.push_back({{"overlay", overlay}});
        rolled_back.back().update(rollback_json(view, overlay));
    }
    json["rolledBack"] = std::move(rolled_back);
    return json;
}

}  // namespace left4me::operations
