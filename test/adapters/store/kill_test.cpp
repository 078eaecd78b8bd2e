// Killed at any instant, the next pass converges from what it finds.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <set>
#include <stdexcept>

#include "adapters/digest.hpp"
#include "place.hpp"

using namespace left4me;

namespace {

/// A world that changes with each step, so that there is always something to build, render, unmanage and
/// prune.
Desired step(unsigned number) {
    Desired desired;
    const std::string word = std::to_string(number);
    InlineSource maps;
    for (int i = 0; i < 40; ++i) {
        maps.files["left4dead2/addons/" + std::to_string(i) + ".vpk"] =
            std::string(20'000, static_cast<char>('a' + i % 26));
    }
    maps.files["left4dead2/addons/new.vpk"] = std::to_string(number / 10);
    desired.overlays["maps"] = maps;
    desired.overlays["tick"] = inline_source({{"left4dead2/cfg/tick.cfg", "// " + word}, {"a/b/c", word}});
    for (const char* name : {"comp1", "comp2", "coop"}) {
        if (number % 3 == 0 && std::string(name) == "coop") continue;
        desired.servers[name] = a_server(name, {"tick", "maps"});
        desired.servers[name].config += "// step " + word + "\n";
    }
    return desired;
}

/// The store's part of a pass.
void pass(const Place& place, const Desired& desired) {
    Store store(place.paths);
    const Target target = resolve(std::make_shared<const Desired>(desired), store.read_inputs(desired));
    Observed observed;
    store.observe(target, observed);
    std::set<std::string> used;
    for (const auto& [name, overlay] : target.overlays) {
        if (!overlay.artifact) throw std::runtime_error(overlay.artifact.error().message);
        used.insert("overlays/" + name + "/" + *overlay.artifact);
        if (auto done = store.build(name, std::get<InlineSource>(*overlay.source), *overlay.artifact); !done)
            throw std::runtime_error(done.error().message);
    }
    for (const auto& [name, server] : target.servers) {
        const auto& rendering = server.rendering;
        if (!rendering) throw std::runtime_error(rendering.error().message);
        used.insert("instances/" + name + "/" + (*rendering)->digest());
        if (auto done = store.render(**rendering); !done) throw std::runtime_error(done.error().message);
    }
    for (const auto& [name, server] : observed.servers) {
        if (desired.servers.contains(name)) continue;
        if (auto done = store.unmanage(name); !done) throw std::runtime_error(done.error().message);
    }
    for (const std::string& digest : observed.artifacts) {
        if (used.contains(digest)) continue;
        if (auto done = store.prune(digest); !done) throw std::runtime_error(done.error().message);
    }
}

/// Every complete artifact of an overlay has the content of its digest, whatever was killed.
void check_artifacts(const Place& place, const Desired& desired) {
    for (const std::string& digest : place.observe(desired).artifacts) {
        if (!digest.starts_with("overlays/")) continue;
        INFO(digest);
        CHECK(wanted(place, directory_source(place.path(digest))) == digest.substr(digest.rfind('/') + 1));
    }
}

}  // namespace

TEST_CASE(
    "killed at random moments, everything that looks complete is complete, and the next pass converges") {
    const Place place;
    const auto begin = std::chrono::steady_clock::now();
    pass(place, step(0));
    // Children are killed within this time, which adapts to the duration of a pass: the first one may be an
    // exception.
    std::chrono::duration<double, std::micro> longest = 1.5 * (std::chrono::steady_clock::now() - begin);
    std::mt19937 random(20260731);
    int killed = 0;
    for (unsigned number = 1; number <= 120; ++number) {
        const Desired desired = step(number);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            pass(place, desired);
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(std::uniform_real_distribution(0.0, longest.count())(random)));
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
        killed += WIFSIGNALED(status) ? 1 : 0;
        longest *= WIFSIGNALED(status) ? 1.1 : 0.9;
        check_artifacts(place, desired);
        if (number % 4 != 0) continue;  // some are killed several times in a row
        REQUIRE_NOTHROW(pass(place, desired));
        const auto observed = place.observe(desired);
        for (const auto& [name, server] : desired.servers) {
            INFO(name);
            const auto& seen = observed.servers.at(name);
            CHECK(seen.damaged.empty());
            CHECK(seen.current == place.rendering(desired, name)->digest());
        }
    }
    CHECK(killed > 20);
    // A last pass over a converged store leaves only what is in the target.
    const Desired desired = step(120);
    pass(place, desired);
    pass(place, desired);
    const auto observed = place.observe(desired);
    CHECK(observed.artifacts.size() == 2 + desired.servers.size());
    CHECK(observed.servers.size() == desired.servers.size());
}
