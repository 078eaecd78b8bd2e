#include "operations/plan_json.hpp"

namespace left4me::operations {

Json plan_json(const Plan& plan) {
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
    root["servers"] = {{"differ", plan.differing_servers},
                       {"agree", plan.agreeing_servers},
                       {"starting", plan.starting_servers},
                       {"crashing", plan.crashing_servers},
                       {"silent", plan.silent_servers}};
    return root;
}

}  // namespace left4me::operations
