#pragma once

#include "reconciler/engine.hpp"
#include "support/test_host.hpp"

namespace left4me::test {

/// The results of a run to completion.
struct RunResult {
    Plan planned;            ///< what differed at the beginning
    CompletedActions ended;  ///< everything that was attempted
    Target target;
    Observed observed;  ///< after everything had ended
    Plan remaining;     ///< what still differs
    Status before;
};

enum class Builds { GoOn, AreAwaited };

/// Drives an engine until nothing is under way and nothing more can be begun. `status` is read and becomes
/// the result's. The error is the host's.
std::expected<RunResult, std::string> run(TestHost& host, const Desired& desired, Intent intent,
                                          Status& status, Builds builds = Builds::GoOn);

}  // namespace left4me::test
