#pragma once

#include <functional>
#include <string>

#include "support/fake_host.hpp"

namespace YAML {
class Node;
}

namespace left4me::test {

/// One row of test/cases/plan/*.yaml, converted to plan()'s arguments.
struct PlanCase {
    Desired desired;
    Intent intent;
    FakeWorld world;
    /// Values that only a Memory has: a failure, and whether it was of the current specification.
    std::map<std::string, bool> remembered_unchanged;
    std::map<std::string, std::chrono::seconds> held_for;
    std::map<std::string, std::chrono::seconds> drained_for;
    std::map<std::string, std::chrono::seconds> warned_ago;
    std::map<std::string, std::chrono::seconds> schedule_for;
    struct Awaited {
        std::string revision;
        bool removal = true;
    };
    std::map<std::string, Awaited> awaited;
    struct Failed {
        unsigned failures = 1;
        std::chrono::seconds retry_in{};
        bool of_what_is_asked = true;
    };
    std::map<std::string, Failed> failed;
    std::map<std::string, Failed> failed_overlays;
    /// Of the rendering that is asked for.
    struct Tried {
        std::chrono::seconds healthy_for{};  ///< negative: it is not
        std::string failure;
    };
    std::map<std::string, Tried> trials;
    std::map<std::string, std::string> fallbacks;      ///< the renderings before those that are tried
    std::map<std::string, std::string> broken_before;  ///< the renderings that have failed, if others
    std::map<std::string, TickMemory> ticks;           ///< of the games that run
    std::map<std::string, Cvars> tried;                ///< what was set a moment ago
    std::size_t keep_artifacts = 1;

    Memory memory(const Target& target) const;
};

PlanCase make_plan_case(const YAML::Node& row);

}  // namespace left4me::test
