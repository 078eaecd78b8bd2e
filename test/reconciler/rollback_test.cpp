// Overlays that a person rolled back: what servers get meanwhile and afterwards, and what is pruned.
#include <algorithm>

#include "reconciler/artifacts.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

/// Server `a` with the overlay `o`, a directory, of which `aaaa` is built.
struct RollbackSite : Site {
    RollbackSite() {
        desired.overlays.emplace("o", DirectorySource{});
        ask_for(desired, "a", 1).overlays = {"o"};
        hold("aaaa");
        (void)complete();
    }

    void hold(const std::string& content) { host.world.sources.insert_or_assign("o", content); }
    Plan complete() { return run(host, desired, intent, status, Builds::AreAwaited)->remaining; }
    void rollback(const std::string& artifact) {
        intent.rollbacks["o"] = {.artifact = artifact, .by = "alice", .at = host.world.now};
    }
    bool has(const std::string& artifact) const {
        return host.world.overlay_artifacts.contains("overlays/o/" + artifact);
    }
    std::string runs_with() {
        for (const std::string& layer : *server("a").mounted) {
            if (layer.starts_with("overlays/o/")) return layer.substr(11);
        }
        return "";
    }
};

}  // namespace

TEST_CASE("a rollback holds through new builds until somebody resumes the overlay") {
    RollbackSite site;
    site.rollback("aaaa");
    site.hold("bbbb");
    const unsigned before = site.server("a").processes;
    const Plan left = site.complete();
    REQUIRE(left.actions.size() == 1);
    CHECK(left.actions.front().code == HoldReason::RolledBack);
    CHECK(site.has("bbbb"));
    CHECK(site.runs_with() == "aaaa");
    CHECK(site.server("a").processes == before);
    CHECK(site.status.last_applied_revision == "r1");

    site.intent.rollbacks.clear();
    CHECK(site.complete().empty());
    CHECK(site.runs_with() == "bbbb");
    CHECK_FALSE(site.has("aaaa"));
    CHECK(site.host.violations.empty());
}

TEST_CASE("a build that fails keeps no server from a rollback") {
    RollbackSite site;
    site.rollback("aaaa");
    site.hold("bbbb");
    site.host.failing_builds["o"] = BuildFailureKind::SourceUnavailable;
    reset(site.server("a").unit);
    site.server("a").mounted.reset();
    (void)site.complete();
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.runs_with() == "aaaa");
}

TEST_CASE("what is said of each artifact is what the plan does, and every one that stays has a reason") {
    RollbackSite site;
    site.host.world.overlay_artifacts = {"overlays/o/aaaa", "overlays/o/bbbb", "overlays/o/cccc",
                                         "overlays/gone/aaaa"};
    site.host.world.built["overlays/o/cccc"] = site.host.world.now;
    site.host.world.built["overlays/o/aaaa"] = site.host.world.now - std::chrono::hours(1);
    site.rollback("bbbb");
    Target target = site.host.target(site.desired, site.intent.rollbacks);
    for (const std::size_t keep : {1U, 2U}) {
        target.keep_artifacts = keep;
        const Observed observed = *site.host.observe(target);
        const Plan planned = plan(target, observed, {}, site.intent);
        const auto verdicts = judge_artifacts(target, observed, {}, site.intent);
        CHECK(verdicts.size() == observed.artifacts.size());
        for (const ArtifactVerdict& verdict : verdicts) {
            INFO(verdict.path);
            const bool pruned =
                std::any_of(planned.actions.begin(), planned.actions.end(), [&](const Action& action) {
                    return action.verb == Verb::Prune && action.artifact == verdict.path;
                });
            CHECK(verdict.goes == pruned);
            CHECK(verdict.goes == verdict.keeps.empty());
        }
    }
    const auto verdicts = judge_artifacts(target, *site.host.observe(target), {}, site.intent);
    const auto reasons = [&verdicts](const std::string& path) {
        std::string text;
        for (const ArtifactVerdict& verdict : verdicts) {
            if (verdict.path != path) continue;
            for (const Keep& keep : verdict.keeps) text += to_text(keep) + "; ";
        }
        return text;
    };
    CHECK(reasons("overlays/o/bbbb") == "server/a is to have it; a person rolled back to it; ");
    CHECK(reasons("overlays/o/cccc") == "one of the last (limits.keepArtifacts); ");
    CHECK(reasons("overlays/gone/aaaa").empty());
}
