#include "adapters/host/systemd_host.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "adapters/probes/published.hpp"
#include "adapters/since_boot.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"
#include "support/waiting_child.hpp"

using namespace left4me;
using left4me::test::Scratch;

namespace {

/// systemd as the host sees it: records its requests and gives the test's answers.
class ScriptedUnits : public Units {
  public:
    std::map<std::string, ObservedUnit> units;
    std::map<std::string, std::uint32_t> pids;
    std::map<std::string, ObservedUnit> later;  ///< the state of a unit after it was listed
    int details_asked = 0;
    std::vector<std::pair<Verb, std::vector<std::string>>> asked;
    std::vector<std::vector<std::pair<Verb, UnitOutcome>>> answers;

    std::expected<ListedUnits, std::string> list() override { return ListedUnits{units, {}}; }
    std::expected<std::map<std::string, UnitDetails>, std::string> details(
        std::span<const std::string> servers) override {
        std::map<std::string, UnitDetails> all;
        ++details_asked;
        for (const std::string& server : servers) {
            all[server].unit = later.contains(server) ? later[server] : units[server];
            if (const auto pid = pids.find(server); pid != pids.end()) all[server].main_pid = pid->second;
        }
        return all;
    }
    void begin(Verb verb, std::span<const std::string> servers) override {
        asked.emplace_back(verb, std::vector<std::string>(servers.begin(), servers.end()));
    }
    void begin_scripts(std::span<const std::string> overlays) override {
        scripts.insert(scripts.end(), overlays.begin(), overlays.end());
    }
    void begin_tuning(const Tuning& tuning) override { tunings.push_back(tuning); }
    std::expected<std::optional<TimePoint>, std::string> unit_files_read() override { return files_read; }
    std::expected<std::map<std::string, UnitLimits>, std::string> limits(
        std::span<const std::string> names) override {
        std::map<std::string, UnitLimits> all;
        for (const std::string& name : names) all[name];
        return all;
    }
    std::vector<Tuning> tunings;
    std::optional<TimePoint> files_read;
    std::vector<std::string> scripts;
    bool working = false;  ///< on something that it has not answered yet

    Completions poll_completions() override {
        if (answers.empty()) return {};
        auto next = answers.front();
        answers.erase(answers.begin());
        return next;
    }
    Readiness readiness() const override {
        if (answers.empty()) return {};
        return {.fd = -1, .events = 0, .timeout = std::chrono::milliseconds(0)};
    }
    void subscribe(std::function<void()>) override {}
    bool idle() const override { return answers.empty() && !working; }
    std::uint64_t round_trips() const override { return 0; }
};

struct World {
    Scratch scratch;
    Paths paths;
    ScriptedUnits* units = nullptr;
    std::unique_ptr<SystemdHost> machine;
    Desired desired;
    Plan plan;

    World() {
        paths.state = scratch.path() / "state";
        paths.run = scratch.path() / "run";
        paths.config = scratch.path() / "config";
        for (const auto& path : {paths.overlays(), paths.instances(), paths.runtime(), paths.status()}) {
            std::filesystem::create_directories(path);
        }
        auto scripted = std::make_unique<ScriptedUnits>();
        units = scripted.get();
        machine = std::make_unique<SystemdHost>(paths, std::move(scripted));
    }

    /// Of the next actions that end.
    std::vector<Outcome> completions() const {
        for (;;) {
            std::vector<Outcome> outcomes = machine->poll_completions();
            if (!outcomes.empty()) return outcomes;
            wait_for_any(machine->readiness());
        }
    }

    Target target() const {
        return resolve(std::make_shared<const Desired>(desired), machine->read_inputs(desired, {}));
    }

    std::expected<Observed, std::string> look() {
        auto listed = machine->observe_units();
        return machine->observe(target(), *std::move(listed));
    }

    ActionIndex add(Verb verb, const std::string& name, const std::string& digest = {}) {
        Action action;
        action.verb = verb;
        action.subject = {verb == Verb::Build ? Kind::Overlay : Kind::Server, name};
        action.artifact = digest;
        if (const auto overlay = desired.overlays.find(name); verb == Verb::Build)
            action.source = std::make_shared<const OverlaySource>(overlay->second);
        plan.actions.push_back(std::move(action));
        return plan.actions.size() - 1;
    }
};

/// What left4me-probe would say of the games on these ports: how many players, and when they were asked.
void publish(const World& world, const std::vector<std::pair<std::uint16_t, unsigned>>& games,
             std::chrono::milliseconds asked = since_boot()) {
    probes::Document all{.looked = since_boot(), .answers = {}, .sockets = {}};
    for (const auto& [port, players] : games)
        all.answers.push_back({.address = "0.0.0.0",
                               .port = port,
                               .asked = asked,
                               .players = players,
                               .max_players = 8,
                               .map = "c1m1_hotel"});
    std::filesystem::create_directories(world.paths.probe_answers().parent_path());
    std::ofstream(world.paths.probe_answers()) << probes::to_text(all);
}

UnitOutcome done(const std::string& server) {
    return {.server = server, .done = true, .reason = {}, .message = {}};
}

/// Mounts an overlay of these layers at a server's merged, for its lifetime. PID 1 must see it: needs root.
class MountedOverlay {
  public:
    MountedOverlay(const Paths& paths, const std::string& server, const std::vector<std::string>& layers)
        : at_(paths.runtime() / server / "merged") {
        std::filesystem::create_directories(at_);
        std::string options = "lowerdir=";
        for (const std::string& layer : layers) {
            std::filesystem::create_directories(paths.state / layer);
            options += (paths.state / layer).string() + ":";
        }
        options.pop_back();
        REQUIRE(::mount("overlay", at_.c_str(), "overlay", MS_RDONLY, options.c_str()) == 0);
    }
    MountedOverlay(const MountedOverlay&) = delete;
    MountedOverlay& operator=(const MountedOverlay&) = delete;
    ~MountedOverlay() { ::umount2(at_.c_str(), MNT_DETACH); }

  private:
    std::filesystem::path at_;
};

/// A process that keeps, in a mount namespace of its own, what is mounted now.
struct Keeper : test::WaitingChild {
    Keeper() : WaitingChild([] { return test::enter_namespaces(CLONE_NEWNS); }) {}
    std::uint32_t pid() const { return static_cast<std::uint32_t>(WaitingChild::pid()); }
};

}  // namespace

TEST_CASE("requests about units are sent as one batch per verb") {
    World world;
    const std::vector<ActionIndex> actions{world.add(Verb::Enable, "a"), world.add(Verb::Start, "b"),
                                           world.add(Verb::Enable, "c")};
    world.machine->begin(world.plan, actions);
    REQUIRE(world.units->asked.size() == 3);
    CHECK(world.units->asked[0] == std::pair(Verb::Enable, std::vector<std::string>{"a", "c"}));
    // So that earlier clean starts do not count towards the start limit.
    CHECK(world.units->asked[1] == std::pair(Verb::ResetFailed, std::vector<std::string>{"b"}));
    CHECK(world.units->asked[2] == std::pair(Verb::Start, std::vector<std::string>{"b"}));
}

TEST_CASE(
    "an overlay's script is started with its build, with a way to public addresses if it may have one") {
    World world;
    const ScriptSource script{"true", ScriptNetwork::None, std::chrono::minutes(1), 1, 1, {}};
    ScriptSource open = script;
    open.network = ScriptNetwork::Public;
    world.desired.overlays = {
        {"made", script}, {"open", open}, {"copied", DirectorySource{"/srv", "/srv", {}}}};
    std::vector<ActionIndex> actions;
    for (const auto& [name, source] : world.desired.overlays) actions.push_back(world.add(Verb::Build, name));
    world.machine->begin(world.plan, actions);
    CHECK(world.units->scripts == std::vector<std::string>{"made", "open"});
    REQUIRE(world.units->asked.size() == 1);
    CHECK(world.units->asked[0] == std::pair(Verb::Build, std::vector<std::string>{"copied"}));
    for (const std::string name : {"made", "open"}) {
        const auto files = world.paths.overlays() / name / ".build/script";
        CHECK(std::filesystem::exists(files / "run"));
        CHECK(std::filesystem::exists(files / "public") == (name == "open"));
    }
    world.units->answers = {{{Verb::Build, done("made")}}};
    CHECK(world.completions().front().done);
}

TEST_CASE("an outcome is matched to its action by verb and server, in any order") {
    World world;
    const ActionIndex enable = world.add(Verb::Enable, "a");
    const ActionIndex start = world.add(Verb::Start, "a");
    world.machine->begin(world.plan, std::vector{enable, start});
    world.units->answers = {{{Verb::Start, {"a", false, FailureKind::StartLimitHit, "too often"}}},
                            {{Verb::Stop, done("a")}, {Verb::Enable, done("nobody")}},
                            {{Verb::Enable, done("a")}}};
    const auto first = world.completions();
    REQUIRE(first.size() == 1);
    CHECK(first[0].action == start);
    CHECK_FALSE(first[0].done);
    CHECK(first[0].reason == FailureKind::StartLimitHit);
    CHECK(first[0].message == "too often");
    // Unrequested names are ignored, not reported.
    const auto second = world.completions();
    REQUIRE(second.size() == 1);
    CHECK(second[0].action == enable);
    CHECK(second[0].done);
    CHECK(world.machine->poll_completions().empty());
}

TEST_CASE("a lost request fails instead of blocking forever") {
    World world;
    world.machine->begin(world.plan, std::vector{world.add(Verb::Start, "a")});
    const auto outcomes = world.completions();
    REQUIRE(outcomes.size() == 1);
    CHECK_FALSE(outcomes[0].done);
    CHECK(outcomes[0].reason == FailureKind::NoAnswer);
}

TEST_CASE("an overlay build is reported as soon as it is complete, while systemd is still busy") {
    World world;
    world.desired.overlays["rules"] = InlineSource{{{"left4dead2/cfg/rules.cfg", "sv_pure 2\n"}}};
    const std::string digest = world.target().overlays.at("rules").artifact.value();
    const ActionIndex start = world.add(Verb::Start, "a");
    const ActionIndex build = world.add(Verb::Build, "rules", digest);
    world.units->working = true;
    world.machine->begin(world.plan, std::vector{start, build});
    CHECK(world.units->asked.size() == 2);
    const auto outcomes = world.completions();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].action == build);
    INFO(outcomes[0].message);
    CHECK(outcomes[0].done);
    CHECK(world.scratch.read("state/overlays/rules/" + digest + "/left4dead2/cfg/rules.cfg") ==
          "sv_pure 2\n");
    CHECK(world.look()->artifacts.contains("overlays/rules/" + digest));
}

TEST_CASE(
    "a directory is built by its unit, which finds what it is to build; one that cannot be asked is told "
    "of") {
    World world;
    world.desired.overlays["maps"] = DirectorySource{"/srv/left4dead2/maps", "/srv/left4dead2", {}};
    const ActionIndex build = world.add(Verb::Build, "maps");
    world.machine->begin(world.plan, std::vector{build});
    REQUIRE(world.units->asked.size() == 1);
    CHECK(world.units->asked.front() == std::pair(Verb::Build, std::vector<std::string>{"maps"}));
    CHECK(world.scratch.read("state/overlays/maps/.build/request").contains("/srv/left4dead2/maps"));
    world.units->answers = {{{Verb::Build, {.server = "maps", .done = true, .reason = {}, .message = {}}}}};
    const auto outcomes = world.completions();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].done);

    std::filesystem::remove_all(world.paths.overlays());
    world.machine->begin(world.plan, std::vector{build});
    CHECK(world.units->asked.size() == 1);
    const auto refused = world.completions();
    REQUIRE(refused.size() == 1);
    CHECK_FALSE(refused[0].done);
    CHECK(refused[0].reason == FailureKind::IOError);
}

TEST_CASE("an artifact that was mounted after the plan was made is not pruned") {
    World world;
    const std::string overlay = "overlays/rules/0123456789abcdef";
    const std::string rendering = "instances/comp1/fedcba9876543210";
    std::filesystem::create_directories(world.paths.state / rendering / "layer");
    std::filesystem::create_directories(world.paths.state / "overlays/rules/aaaaaaaaaaaaaaaa");
    const std::vector actions{world.add(Verb::Prune, "rules", overlay),
                              world.add(Verb::Prune, "comp1", rendering),
                              world.add(Verb::Prune, "rules", "overlays/rules/aaaaaaaaaaaaaaaa")};
    const auto poll_completions = [&] {
        world.machine->begin(world.plan, actions);
        return world.completions();
    };
    {
        const MountedOverlay mounted(world.paths, "comp1", {rendering + "/layer", overlay});
        const auto outcomes = poll_completions();
        REQUIRE(outcomes.size() == 3);
        for (const std::size_t used : {0U, 1U}) {
            CHECK_FALSE(outcomes[used].done);
            CHECK(outcomes[used].reason == FailureKind::InUse);
            CHECK(outcomes[used].message == "server/comp1 has been mounted with it meanwhile");
        }
        CHECK(outcomes[2].done);
        CHECK(std::filesystem::exists(world.paths.state / overlay));
        CHECK_FALSE(std::filesystem::exists(world.paths.state / "overlays/rules/aaaaaaaaaaaaaaaa"));
    }
    for (const Outcome& outcome : poll_completions()) CHECK(outcome.done);
    CHECK_FALSE(std::filesystem::exists(world.paths.state / overlay));
    CHECK_FALSE(std::filesystem::exists(world.paths.state / rendering));
}

TEST_CASE("desired servers are observed, and units with names that no manifest can have are not") {
    World world;
    world.desired.servers["comp1"] = DesiredServer{};
    world.units->units["comp2"].active = ActiveState::Active;
    world.units->units["Not_Ours"].active = ActiveState::Active;
    const auto observed = world.look();
    REQUIRE(observed);
    CHECK(observed->servers.contains("comp1"));
    CHECK(observed->servers.at("comp2").unit.active == ActiveState::Active);
    CHECK_FALSE(observed->servers.contains("Not_Ours"));
}

TEST_CASE("overlays that only the games of active servers still have are observed, in one request") {
    World world;
    const std::vector<std::string> layers{"instances/comp1/fedcba9876543210/layer", "installation"};
    std::optional<MountedOverlay> mounted(std::in_place, world.paths, "comp1", layers);
    const Keeper game;
    for (const char* server : {"comp1", "comp2", "comp3"}) {
        world.units->units[server].active = ActiveState::Active;
        world.units->pids[server] = game.pid();
    }
    world.units->pids["comp3"] = 0;
    world.units->units["comp4"].active = ActiveState::Failed;

    const auto look = [&world] { return *world.look(); };
    CHECK(look().servers.at("comp1").mounted == layers);
    CHECK_FALSE(look().servers.at("comp1").mounted_in_game.has_value());

    mounted.reset();
    world.units->details_asked = 0;
    const Observed observed = look();
    CHECK(world.units->details_asked == 1);
    CHECK_FALSE(observed.servers.at("comp1").mounted.has_value());
    CHECK(observed.servers.at("comp1").mounted_in_game == layers);
    // The same process has nothing of theirs.
    CHECK_FALSE(observed.servers.at("comp2").mounted_in_game.has_value());
    CHECK_FALSE(observed.servers.at("comp3").mounted_in_game.has_value());

    world.units->units["comp1"].active = ActiveState::Inactive;
    CHECK_FALSE(look().servers.at("comp1").mounted_in_game.has_value());
}

TEST_CASE(
    "a server that stops between two requests is observed as stopped, not as active without its mount") {
    World world;
    const Keeper game;
    world.units->units["comp1"].active = ActiveState::Active;
    world.units->pids["comp1"] = game.pid();
    world.units->later["comp1"].active = ActiveState::Deactivating;
    const auto observed = world.look();
    REQUIRE(observed);
    CHECK(observed->servers.at("comp1").unit.active == ActiveState::Deactivating);
    CHECK_FALSE(observed->servers.at("comp1").mounted_in_game.has_value());
}

TEST_CASE("a server that starts between two requests is observed as active, not as stopped with its mount") {
    World world;
    const MountedOverlay mounted(world.paths, "comp1", {"installation", "overlays"});
    world.units->units["comp1"].active = ActiveState::Inactive;
    world.units->later["comp1"].active = ActiveState::Active;
    CHECK(world.look()->servers.at("comp1").unit.active == ActiveState::Active);
}

TEST_CASE("a pass over mounted servers needs no extra request") {
    World world;
    const MountedOverlay mounted(world.paths, "comp1", {"installation", "overlays"});
    world.units->units["comp1"].active = ActiveState::Active;
    REQUIRE(world.look());
    CHECK(world.units->details_asked == 0);
}

TEST_CASE(
    "what may only be done while nobody plays begins when the game says so once more, to a later question") {
    World world;
    const ActionIndex restart = world.add(Verb::Restart, "a");
    world.plan.actions[restart].while_empty = WhileEmpty{27015, {}};
    const ActionIndex stop = world.add(Verb::Stop, "b");
    world.plan.actions[stop].while_empty = WhileEmpty{27016, {}};
    world.units->working = true;
    publish(world, {{27015, 0}, {27016, 0}}, since_boot() - std::chrono::milliseconds(1));
    world.machine->begin(world.plan, std::vector{restart, stop});
    CHECK(world.machine->poll_completions().empty());
    CHECK(world.units->asked.empty());
    bool looks_again = false;
    for (const Readiness& one : world.machine->readiness()) looks_again = looks_again || one.timeout;
    CHECK(looks_again);

    // An answer is too old after less than a second.
    const auto look_until_asked = [&world](std::uint16_t port, std::size_t count) {
        for (int i = 0; i < 5 && world.units->asked.size() < count; ++i) {
            publish(world, {{port, 0}});
            CHECK(world.machine->poll_completions().empty());
        }
    };
    look_until_asked(27015, 1);
    REQUIRE(world.units->asked.size() == 1);
    CHECK(world.units->asked[0] == std::pair(Verb::Restart, std::vector<std::string>{"a"}));
    look_until_asked(27016, 2);
    REQUIRE(world.units->asked.size() == 2);
    CHECK(world.units->asked[1] == std::pair(Verb::Stop, std::vector<std::string>{"b"}));

    world.units->answers = {{{Verb::Restart, done("a")}, {Verb::Stop, done("b")}}};
    CHECK(world.completions().size() == 2);
}

TEST_CASE("what may only be done while nobody plays is dropped when somebody has come") {
    World world;
    const ActionIndex restart = world.add(Verb::Restart, "a");
    world.plan.actions[restart].while_empty = WhileEmpty{27015, {}};
    publish(world, {{27015, 0}}, since_boot() - std::chrono::milliseconds(1));
    world.machine->begin(world.plan, std::vector{restart});
    CHECK(world.machine->poll_completions().empty());
    publish(world, {{27015, 1}});
    const auto outcomes = world.completions();
    REQUIRE(outcomes.size() == 1);
    CHECK_FALSE(outcomes[0].done);
    CHECK(outcomes[0].action == restart);
    CHECK(outcomes[0].reason == FailureKind::Occupied);
    CHECK(outcomes[0].message == "1 player has come meanwhile");
    CHECK(world.units->asked.empty());
}

TEST_CASE("what may only be done while nobody plays is dropped when the game does not answer once more") {
    World world;
    const ActionIndex restart = world.add(Verb::Restart, "a");
    world.plan.actions[restart].while_empty = WhileEmpty{27015, {}};
    // Nor is the answer of another game, or one from before, an answer.
    publish(world, {{27015, 0}, {27016, 0}}, since_boot() - std::chrono::milliseconds(1));
    world.machine->begin(world.plan, std::vector{restart});
    const auto outcomes = world.completions();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].reason == FailureKind::Occupied);
    CHECK(world.units->asked.empty());
    // Nothing is waited for any more.
    for (const Readiness& one : world.machine->readiness()) CHECK_FALSE(one.timeout);
}

TEST_CASE(
    "what may only be done while nobody plays is dropped when the game's console does not say so, too") {
    World world;
    const ActionIndex restart = world.add(Verb::Restart, "a");
    world.plan.actions[restart].while_empty = WhileEmpty{27015, "instances/a/0123456789abcdef"};
    world.machine->begin(world.plan, std::vector{restart});
    publish(world, {{27015, 0}});
    const auto outcomes = world.completions();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].reason == FailureKind::Occupied);
    CHECK(outcomes[0].message.starts_with("the game's console does not say who is there"));
    CHECK(world.units->asked.empty());
}

TEST_CASE("a restart because a game hangs is dropped when it reads again, or nobody tells") {
    World world;
    const ActionIndex restart = world.add(Verb::Restart, "a");
    world.plan.actions[restart].while_empty = WhileEmpty{27015, {}, 0, true};
    publish(world, {{27015, 3}}, since_boot() - std::chrono::milliseconds(1));
    world.machine->begin(world.plan, std::vector{restart});
    const auto outcomes = world.machine->poll_completions();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].reason == FailureKind::Occupied);
    CHECK(outcomes[0].message == "the game reads again, or the probe does not tell");
    CHECK(world.units->asked.empty());
}

TEST_CASE("a warning that the game's console does not take is no failure of the server") {
    World world;
    const ActionIndex warn = world.add(Verb::Warn, "a");
    world.plan.actions[warn].console = ConsoleCommand{27015, "instances/a/0123456789abcdef", "say hello"};
    world.machine->begin(world.plan, std::vector{warn});
    const auto outcomes = world.completions();
    REQUIRE(outcomes.size() == 1);
    CHECK_FALSE(outcomes[0].done);
    CHECK_FALSE(has_failed(outcomes[0]));
    CHECK(outcomes[0].message == "the game's console cannot be reached");
}
