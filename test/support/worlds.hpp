#pragma once

#include <string>

#include "reconciler/status.hpp"
#include "support/choices.hpp"
#include "support/fake_host.hpp"

namespace left4me::test {

/// Any desired state with any observed state.
struct Case {
    Desired desired;
    Intent intent;
    FakeWorld world;
    Status previous;
};

struct WorldOptions {
    std::uint32_t servers = 4;
    /// No errors of sources, nothing to wait for and nothing suspended: rollout Immediate, drift Correct, the
    /// revision approved, the game installed, no units that left4me did not create.
    bool plain = false;
};

Case make_case(Choices& choices, const WorldOptions& options);

/// The relevant parts of a case, for the message of a failing one.
std::string describe(const Case& generated);
std::string describe(const Plan& plan);

}  // namespace left4me::test
