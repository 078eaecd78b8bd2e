#include "specs/manifest.hpp"

namespace left4me {

const char* to_string(RunState state) { return state == RunState::Running ? "Running" : "Stopped"; }

const char* to_string(RolloutPolicy policy) {
    switch (policy) {
        case RolloutPolicy::OnNextStart:
            return "OnNextStart";
        case RolloutPolicy::WhenEmpty:
            return "WhenEmpty";
        case RolloutPolicy::Immediate:
            return "Immediate";
    }
    return "?";
}

const char* to_string(DriftPolicy policy) { return policy == DriftPolicy::Correct ? "Correct" : "Report"; }

const char* to_string(DegradedAction action) {
    return action == DegradedAction::Report ? "Report" : "RestartWhenEmpty";
}

const char* to_string(ScriptNetwork network) { return network == ScriptNetwork::None ? "None" : "Public"; }

}  // namespace left4me
