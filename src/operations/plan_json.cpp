#include "operations/plan_json.hpp"

#include "operations/server_view.hpp"
#include "reconciler/impact.hpp"

namespace left4me::operations {

namespace {

Json impact_json(const Impact& impact) {
    Json entry;
    entry["server"] = impact.server;
    entry["takes"] = to_string(impact.takes);
    entry["players"] = impact.players ? Json(*impact.players) : Json(nullptr);
    entry["waitsFor"] = impact.wait ? Json(to_string(impact.wait->what)) : Json(nullptr);
    if (impact.wait && impact.wait->latest) entry["latest"] = time_text(*impact.wait->latest);
    return entry;
}

}  // namespace

Json plan_json(const Plan& plan, const Observed& observed) {
    Json actions = Json::array();
    for (const Action& action : plan.actions) {
        Json entry;
        entry["subject"] = to_string(action.subject);
        entry["verb"] = to_string(action.verb);
        entry["reason"] = action.reason;
        entry["changesHost"] = is_effect(action.verb);
        if (action.code) entry["code"] = to_string(*action.code);
        if (!action.to_approve.empty()) entry["approve"] = action.to_approve;
        if (!action.artifact.empty()) entry["generation"] = action.artifact;
        entry["after"] = action.after;
        actions.push_back(std::move(entry));
    }
    Json root;
    root["revision"] = plan.revision;
    root["actions"] = std::move(actions);
    root["interruptions"] = Json::array();
    for (const Impact& impact : impacts_of(plan, observed))
        root["interruptions"].push_back(impact_json(impact));
    root["servers"] = {{"differ", plan.differing_servers},  {"agree", plan.agreeing_servers},
                       {"starting", plan.starting_servers}, {"crashing", plan.crashing_servers},
                       {"silent", plan.silent_servers},     {"slow", plan.slow_servers}};
    return root;
}

}  // namespace left4me::operations
