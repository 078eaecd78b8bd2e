#include "operations/suspend.hpp"

#include "adapters/source/revision.hpp"
#include "adapters/sources/open.hpp"
#include "adapters/store/requests.hpp"
#include "adapters/store/status_file.hpp"
#include "operations/approve.hpp"
#include "operations/drain.hpp"
#include "operations/edit.hpp"
#include "operations/events.hpp"
#include "operations/reset.hpp"
#include "operations/wait.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;
using left4me::test::Scratch;

namespace {

/// A host with two servers in its manifests, and no daemon.
struct World {
    Scratch scratch;
    Context context;
    std::vector<std::string> notices;

    World() {
        context.paths.state = scratch.path() / "state";
        context.paths.run = scratch.path() / "run";
        std::filesystem::create_directories(context.paths.status());
        std::filesystem::create_directories(context.paths.run);
        context.config.source_directory = scratch.path() / "source";
        context.caller = {.name = "Alice", .email = "alice@host1", .message = {}};
        context.purpose = "a test";
        context.notice = [this](const std::string& text) { notices.push_back(text); };
        context.source = open_source(context.paths, context.config);
        const std::string head = "apiVersion: left4me/v1\nkind: ";
        std::string text = head + "Blueprint\nmetadata: {name: coop}\nspec: {}\n";
        for (const char* name : {"comp1", "comp2"}) {
            text += "---\n" + head + "Server\nmetadata: {name: " + name +
                    ", labels: {pool: x}}\nspec: {blueprint: coop, port: 2701" + name[4] + "}\n";
        }
        scratch.write("source/all.yaml", text);
    }

    std::string last_event() const {
        const auto events = EventFeed(context, "").past();
        return events.empty()
                   ? ""
                   : events.back().subject + " " + events.back().reason + " " + events.back().actor;
    }
    Result<Resumed> resume(const Selection& selection) { return operations::resume(context, selection); }
    Suspensions kept() const { return load_intent(context.paths).suspended; }
};

}  // namespace

TEST_CASE("a suspension holds until it is resumed, and its event says who asked for it") {
    World world;
    const auto suspended = suspend(world.context, {.names = {"comp1"}}, "new maps", {});
    REQUIRE(suspended);
    CHECK(suspended->servers == std::vector<std::string>{"comp1"});
    CHECK(world.kept().servers.at("comp1").reason == "new maps");
    CHECK(world.kept().servers.at("comp1").by == "alice");
    CHECK(world.last_event() == "server/comp1 Suspended alice");
    const auto resumed = world.resume({.names = {"comp1", "comp2"}});
    REQUIRE(resumed);
    CHECK(resumed->servers == std::vector<std::string>{"comp1"});
    CHECK(resumed->not_suspended == std::vector<std::string>{"comp2"});
    CHECK(world.kept() == Suspensions{});
    CHECK(world.last_event() == "server/comp1 Resumed alice");
    CHECK_FALSE(world.resume({.names = {"comp1"}})->anything);
}

TEST_CASE("servers are suspended by label, everything with --all, for the given time") {
    World world;
    REQUIRE(suspend(world.context, {.selector = "pool=x"}, "maps", std::chrono::minutes(5)));
    CHECK(world.kept().servers.size() == 2);
    CHECK(world.kept().servers.at("comp2").until.has_value());
    REQUIRE(suspend(world.context, {.all = true}, "moving", {}));
    CHECK(world.resume({.names = {"comp1"}})->all_suspended);
    CHECK(world.resume({.all = true})->anything);
    CHECK(world.kept() == Suspensions{});
    CHECK_FALSE(world.resume({.all = true})->anything);
}

TEST_CASE("a server that nobody knows is not suspended") {
    World world;
    const auto refused = suspend(world.context, {.names = {"comp9"}}, "a slip", {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::NotFound);
    CHECK(world.kept() == Suspensions{});
}

TEST_CASE("unreadable suspensions are an error, and resuming everything repairs them") {
    World world;
    world.scratch.write("state/state/suspensions.json", "{");
    CHECK(suspend(world.context, {.names = {"comp1"}}, "maps", {}).error().kind == ErrorKind::StateFailed);
    CHECK(world.resume({.names = {"comp1"}}).error().kind == ErrorKind::StateFailed);
    CHECK(world.resume({.all = true})->anything);
    CHECK(world.kept() == Suspensions{});
}

TEST_CASE("only the source's current revision can be approved") {
    World world;
    const std::string stands = world.context.source->read()->revision;
    CHECK(approve(world.context, stands.substr(0, 6)).error().kind == ErrorKind::NotFound);
    CHECK(approve(world.context, "0123456789").error().kind == ErrorKind::NotFound);
    CHECK(approve(world.context, stands.substr(0, 7)) == stands);
    CHECK(is_approved(world.context.paths, stands));
    CHECK(world.notices.empty());
}

TEST_CASE("an earlier revision of which something still waits can be approved") {
    World world;
    Status status;
    status.servers["gone"].remembered.awaits_approval = "aaaaaaaaaa";
    REQUIRE(save_status(world.context.paths, status));
    const auto refused = approve(world.context, "0123456789");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("and aaaaaaaaaa waits for approval") != std::string::npos);
    CHECK(approve(world.context, "aaaaaaa") == "aaaaaaaaaa");
}

TEST_CASE("a stop or deletion of single servers is noted as such, also where the source says so already") {
    World world;
    const auto stop = [&](const std::vector<std::string>& names) {
        return commit_for_servers(
            world.context, [&] { return propose_state(world.context, {.names = names}, RunState::Stopped); });
    };
    REQUIRE(stop({"comp1", "comp2"}));
    CHECK(load_intent(world.context.paths).stops == StopRequests{{.servers = {"comp1", "comp2"}}});
    const auto again = stop({"comp1"});
    REQUIRE(again);
    CHECK(again->effects.front().change == Change::Unchanged);
    CHECK(load_intent(world.context.paths).stops ==
          StopRequests{{.servers = {"comp2"}}, {.servers = {"comp1"}}});
    REQUIRE(commit_for_servers(
        world.context, [&] { return propose_removal(world.context, Selection{.names = {"comp2"}}); }));
    CHECK(load_intent(world.context.paths).stops ==
          StopRequests{{.servers = {"comp1"}}, {.servers = {"comp2"}, .removes = true}});
}

TEST_CASE("a stop whose edit cannot be made leaves what was asked for before") {
    World world;
    const StopRequests before{{.servers = {"comp1"}, .drain = Drain{.by = "bob", .at = {}}}};
    REQUIRE(save_stop_requests(world.context.paths, before));
    // The edit itself cannot be written: a file is where a directory should be.
    const auto edited = commit_for_servers(world.context, [&] {
        auto proposal = propose_state(world.context, {.names = {"comp1"}}, RunState::Stopped);
        if (proposal) proposal->change.write.emplace(world.scratch.path() / "source/all.yaml/x.yaml", "");
        return proposal;
    });
    REQUIRE_FALSE(edited);
    CHECK(edited.error().kind == ErrorKind::CommitFailed);
    CHECK(load_intent(world.context.paths).stops == before);
}

TEST_CASE("a stop that cannot be noted is not made: whoever sees the edit finds its request") {
    World world;
    const std::string before = world.context.source->read()->revision;
    std::filesystem::create_directories(world.context.paths.status() / "stops.json/x");
    const auto drained = drain(world.context, {.names = {"comp1"}}, {});
    REQUIRE_FALSE(drained);
    CHECK(drained.error().kind == ErrorKind::StateFailed);
    CHECK(world.context.source->read()->revision == before);
}

TEST_CASE("a drain is noted before the source says so, and a start, a stop or another drain ends it") {
    World world;
    const auto noted = [&] { return load_intent(world.context.paths).stops; };
    const auto drained =
        drain(world.context, {.selector = "pool=x"}, {.deadline = "2h", .message = "New maps."});
    REQUIRE(drained);
    CHECK(drained->set.servers.at("comp2").state == RunState::Stopped);
    CHECK(world.last_event() == "server/comp2 DrainRequested alice");
    REQUIRE(noted().size() == 1);
    CHECK(noted().front().servers == std::set<std::string>{"comp1", "comp2"});
    const Drain first = noted().front().drain.value();
    CHECK(first.by == "alice");
    CHECK(first.deadline == std::chrono::hours(2));
    CHECK(first.message == "New maps.");
    CHECK_FALSE(first.begun);

    REQUIRE(drain(world.context, {.names = {"comp1"}}, {.deadline = "06:00", .message = ""}));
    REQUIRE(noted().size() == 2);
    CHECK(noted().back().drain->deadline_at == std::chrono::hours(6));
    CHECK_FALSE(noted().back().drain->deadline);
    const auto set_state = [&](RunState state) {
        return commit_for_servers(world.context,
                                  [&] { return propose_state(world.context, {.names = {"comp1"}}, state); });
    };
    SECTION("by a start") {
        REQUIRE(set_state(RunState::Running));
        REQUIRE(noted().size() == 1);
        CHECK(noted().front().servers == std::set<std::string>{"comp2"});
    }
    SECTION("by a stop") {
        REQUIRE(set_state(RunState::Stopped));
        CHECK(noted().back() == StopRequest{.servers = {"comp1"}});
    }
}

TEST_CASE("what a drain is given must be a time, and a line that a console takes") {
    World world;
    const std::string before = world.context.source->read()->revision;
    for (const DrainOptions& wrong :
         {DrainOptions{.deadline = "soon", .message = ""}, DrainOptions{.deadline = "24:00", .message = ""},
          DrainOptions{.deadline = "", .message = "New maps."},
          DrainOptions{.deadline = "1h", .message = "a\"; quit"},
          DrainOptions{.deadline = "1h", .message = "two\nlines"},
          DrainOptions{.deadline = "1h", .message = std::string(Drain::max_message + 1, 'x')}}) {
        const auto refused = drain(world.context, {.names = {"comp1"}}, wrong);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind == ErrorKind::InvalidArgument);
    }
    CHECK(world.context.source->read()->revision == before);
    CHECK(load_intent(world.context.paths).stops.empty());
}

TEST_CASE("while it cannot be read which stops wait for players, nothing is touched") {
    World world;
    REQUIRE(drain(world.context, {.names = {"comp1"}}, {}));
    world.scratch.write("state/state/stops.json", "[{");
    const Intent intent = load_intent(world.context.paths);
    REQUIRE(intent.suspended.all);
    CHECK(intent.suspended.all->reason.find("l4d2ctl stop SERVER writes a new one") != std::string::npos);
    // Nothing else replaces it: the drains of others would become stops.
    const auto set = [&](const char* name, RunState state) {
        return commit_for_servers(
            world.context, [&, name] { return propose_state(world.context, {.names = {name}}, state); });
    };
    CHECK_FALSE(set("typo", RunState::Stopped));
    CHECK(set("comp2", RunState::Running));
    CHECK_FALSE(drain(world.context, {.names = {"comp2"}}, {}));
    CHECK(load_intent(world.context.paths).suspended.all);
    REQUIRE(commit_for_servers(world.context, [&] {
        return propose_state(world.context, {.names = {"comp1"}}, RunState::Stopped);
    }));
    CHECK_FALSE(load_intent(world.context.paths).suspended.all);
}

TEST_CASE("a request to stop servers ends when they are down or wanted again") {
    World world;
    Desired desired;
    desired.servers["comp1"].state = RunState::Stopped;
    desired.servers["comp2"].state = RunState::Running;
    const Target target = resolve(std::make_shared<const Desired>(desired), {});
    Observed observed;
    for (const char* const name : {"comp1", "comp2", "gone"}) {
        observed.servers[name].managed = true;
        observed.servers[name].unit.active = ActiveState::Active;
    }
    REQUIRE(save_stop_requests(world.context.paths,
                               {{.servers = {"comp1", "comp2", "gone"}}, {.servers = {"comp3"}}}));
    REQUIRE(drop_finished_requests(world.context.paths, target, observed, {}) == true);
    CHECK(load_intent(world.context.paths).stops == StopRequests{{.servers = {"comp1", "gone"}}});
    CHECK(drop_finished_requests(world.context.paths, target, observed, {}) == false);
    observed.servers["comp1"].unit.active = ActiveState::Inactive;
    observed.servers.erase("gone");
    REQUIRE(drop_finished_requests(world.context.paths, target, observed, {}) == true);
    CHECK_FALSE(load_intent(world.context.paths).has_requests());
}

TEST_CASE("a request of which a server was held waits from then on, with what is left of it") {
    World world;
    Desired desired;
    desired.servers["comp1"].state = RunState::Stopped;
    desired.servers["comp2"].state = RunState::Stopped;
    const Target target = resolve(std::make_shared<const Desired>(desired), {});
    Observed observed;
    for (const char* const name : {"comp1", "comp2", "gone"}) {
        observed.servers[name].managed = true;
        observed.servers[name].unit.active = ActiveState::Active;
    }
    Plan difference;
    for (const char* const name : {"comp1", "gone"}) {
        difference.actions.push_back({.verb = Verb::Hold,
                                      .subject = {Kind::Server, name},
                                      .reason = "too many",
                                      .artifact = {},
                                      .after = {},
                                      .code = HoldReason::ApprovalRequired});
    }
    // Only the deletion of "gone" is held, which its request does not ask for.
    REQUIRE(
        save_stop_requests(world.context.paths, {{.servers = {"comp1", "comp2"}}, {.servers = {"gone"}}}));
    REQUIRE(drop_finished_requests(world.context.paths, target, observed, difference) == true);
    observed.servers["comp1"].unit.active = ActiveState::Inactive;
    REQUIRE(drop_finished_requests(world.context.paths, target, observed, {}) == true);
    CHECK(load_intent(world.context.paths).stops ==
          StopRequests{{.servers = {"comp2"}, .waits = true}, {.servers = {"gone"}}});
}

TEST_CASE("a damaged file of requests does not keep what the others asked for") {
    World world;
    Observed observed;
    const Target target = resolve(std::make_shared<const Desired>(), {});
    world.scratch.write("state/state/restarts.json", "{");
    REQUIRE(save_stop_requests(world.context.paths, {{.servers = {"comp1"}}}));
    CHECK_FALSE(drop_finished_requests(world.context.paths, target, observed, {}));
    CHECK(load_intent(world.context.paths).stops.empty());
}

TEST_CASE("an event feed shows past and new events of one server") {
    World world;
    record_event(world.context, {"server/comp1", "server/comp2"}, "Reset", "why");
    EventFeed feed(world.context, "comp1");
    CHECK(feed.past().size() == 1);
    CHECK(feed.news().empty());
    record_event(world.context, {"server/comp2", "server/comp1"}, "Reset", "again");
    const auto news = feed.news();
    REQUIRE(news.size() == 1);
    CHECK(news.front().message == "again");
}

TEST_CASE("a timeout is a duration with the syntax of manifests") {
    CHECK(parse_timeout("90s") == std::chrono::milliseconds(90'000));
    CHECK(parse_timeout("soon").error().kind == ErrorKind::InvalidArgument);
}

TEST_CASE("a reset that waits can be withdrawn, and its event says by whom") {
    World world;
    const ResetRequest request{.by = "bob", .at = {}, .reason = "taken", .directory = "12-3"};
    REQUIRE(save_reset_requests(world.context.paths, {{"comp1", request}, {"gone", request}}));
    CHECK(load_intent(world.context.paths).resets.at("comp1") == request);
    const auto canceled = cancel_reset(world.context, {.names = {"gone", "comp2"}});
    REQUIRE(canceled);
    CHECK(*canceled == std::vector<std::string>{"gone"});
    CHECK(world.last_event() == "server/gone ResetCanceled alice");
    CHECK(load_intent(world.context.paths).resets.size() == 1);
    REQUIRE(cancel_reset(world.context, {.selector = "pool=x"}));
    CHECK(load_intent(world.context.paths).resets.empty());
    CHECK(cancel_reset(world.context, {.all = true})->empty());
}
