#pragma once

#include <functional>
#include <string>

#include "support/fake_host.hpp"

namespace YAML {
class Node;
}

namespace left4me::test {

/// One row of test/cases/plan/*.yaml, made into what plan() gets.
struct PlanCase {
    Desired desired;
    Intent intent;
    FakeWorld world;
    /// What only a Memory holds: what is remembered, and whether it is of what is asked now.
    std::map<std::string, bool> remembered_unchanged;
    std::map<std::string, std::chrono::seconds> held_for;
    struct Failed {
        unsigned failures = 1;
        std::chrono::seconds retry_in{};
        bool of_what_is_asked = true;
    };
    std::map<std::string, Failed> failed;
    std::map<std::string, Failed> failed_overlays;

    Memory memory(const Target& target) const;
};

PlanCase make_plan_case(const YAML::Node& row);

}  // namespace left4me::test
