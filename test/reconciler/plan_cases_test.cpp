#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>

#include "reconciler/impact.hpp"
#include "reconciler/plan.hpp"
#include "support/catch.hpp"
#include "support/fake_host.hpp"
#include "support/plan_case.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

/// "restart server/a: layers differ (…)" per action, in the plan's order.
std::vector<std::string> sentences(const Plan& plan) {
    std::vector<std::string> lines;
    for (const Action& action : plan.actions) {
        lines.push_back(
            fmt::format("{} {}: {}", to_string(action.verb), to_string(action.subject), action.reason));
    }
    return lines;
}

std::vector<std::string> interruptions(const Plan& plan, const Observed& observed) {
    std::vector<std::string> lines;
    for (const Impact& impact : impacts_of(plan, observed)) lines.push_back(impact_text(impact, observed));
    return lines;
}

}  // namespace

// test/cases/plan/*.yaml: one behaviour per file, one section per row; the README there explains the words.
TEST_CASE("plan() agrees with the table of cases") {
    std::size_t rows = 0;
    for (const auto& file : std::filesystem::directory_iterator(LEFT4ME_TEST_CASES "/plan")) {
        if (file.path().extension() != ".yaml") continue;
        const YAML::Node table = YAML::LoadFile(file.path().string());
        for (const YAML::Node& row : table) {
            ++rows;
            DYNAMIC_SECTION(file.path().stem().string() << ": " << row["name"].as<std::string>()) {
                PlanCase made = make_plan_case(row);
                FakeHost host(made.world);
                Target target = host.target(made.desired, made.intent.rollbacks);
                target.keep_artifacts = made.keep_artifacts;
                target.restarts = servers_of(made.intent.restarts);
                const Observed observed = *host.observe(target);
                const Plan planned = plan(target, observed, made.memory(target), made.intent);
                CHECK(sentences(planned) == row["want"].as<std::vector<std::string>>());
                if (row["interrupts"])
                    CHECK(interruptions(planned, observed) ==
                          row["interrupts"].as<std::vector<std::string>>());
                if (row["too_slow"]) CHECK(planned.slow_servers == row["too_slow"].as<std::size_t>());
                if (row["silent"]) CHECK(planned.silent_servers == row["silent"].as<std::size_t>());
                if (row["agree"]) CHECK(planned.agreeing_servers == row["agree"].as<std::size_t>());
                if (row["differ"]) CHECK(planned.differing_servers == row["differ"].as<std::size_t>());
            }
        }
    }
    CHECK(rows >= 40);
}

TEST_CASE("an artifact in a server's target stack is never pruned, even if its overlay now has another") {
    Desired desired;
    desired.overlays.emplace("maps", InlineSource{});
    DesiredServer& server = desired.servers["a"];
    server.name = "a";
    server.overlays = {"maps"};
    Inputs inputs;
    inputs.overlays["maps"].artifact = "aaaa";
    Target target = resolve(std::make_shared<const Desired>(desired), inputs);
    target.overlays.at("maps").artifact = "bbbb";
    const TargetRendering& rendering = **target.find("a")->rendering;
    Observed observed;
    observed.installation = true;
    observed.artifacts = {"overlays/maps/aaaa", "overlays/maps/bbbb", "overlays/maps/cccc",
                          "instances/a/" + rendering.digest()};
    ObservedServer& found = observed.servers["a"];
    found.managed = true;
    found.unit.active = ActiveState::Active;
    found.unit.enablement = Enablement::Enabled;
    found.current = rendering.digest();
    found.mounted = rendering.layers();
    CHECK(sentences(plan(target, observed, {}, {})) ==
          std::vector<std::string>{"prune overlay/maps: nothing uses artifact cccc any more"});
}
