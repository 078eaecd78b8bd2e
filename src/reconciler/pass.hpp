#pragma once

#include <expected>
#include <string>
#include <vector>

#include "reconciler/host.hpp"
#include "reconciler/status.hpp"

namespace left4me {

struct PassResult {
    Plan attempted;
    std::vector<Outcome> outcomes;
    Observed observed;  ///< after the pass
    Plan remaining;     ///< what still differs after the pass
    Status status;
};

/// observe → plan → apply → observe → status. A converged host is observed once and nothing is called on it.
/// The error is the host's: nothing was changed.
std::expected<PassResult, std::string> run_pass(Host& host, const Desired& desired, const Status& previous);

}  // namespace left4me
