#include "adapters/metrics/metrics.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "adapters/metrics/textfile.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using left4me::test::Scratch;

namespace {

/// Parses the text format as strictly as Prometheus and promtool do; fails the test at the first error.
class Parsed {
  public:
    explicit Parsed(const std::string& text) {
        REQUIRE(text.ends_with("\n"));
        std::istringstream stream(text);
        for (std::string line; std::getline(stream, line);) {
            INFO(line);
            if (line.starts_with("# HELP ")) {
                help(line);
            } else if (line.starts_with("# TYPE ")) {
                type(line);
            } else {
                sample(line);
            }
        }
        for (const auto& [name, kind] : types_) {
            if (kind == "histogram") check_histogram(name);
        }
    }

    double at(const std::string& series) const {
        INFO(series);
        const auto found = samples_.find(series);
        REQUIRE(found != samples_.end());
        return found->second;
    }
    bool has(const std::string& series) const { return samples_.contains(series); }
    const std::map<std::string, std::string>& types() const { return types_; }

  private:
    void help(const std::string& line) {
        static const std::regex form("# HELP ([a-z_][a-z0-9_]*) (\\S.*)");
        std::smatch match;
        REQUIRE(std::regex_match(line, match, form));
        family_ = match[1];
        // The samples of a family are contiguous.
        REQUIRE(helped_.insert(family_).second);
    }
    void type(const std::string& line) {
        static const std::regex form("# TYPE ([a-z_][a-z0-9_]*) (counter|gauge|histogram)");
        std::smatch match;
        REQUIRE(std::regex_match(line, match, form));
        REQUIRE(match[1] == family_);
        REQUIRE(types_.emplace(family_, match[2]).second);
        if (match[2] == "counter") CHECK(family_.ends_with("_total"));
    }
    void sample(const std::string& line) {
        static const std::regex form(
            "([a-z_][a-z0-9_]*)(\\{([a-z_]+=\"([^\"\\\\]|\\\\[\\\\\"n])*\"(,[a-z_]+=\"([^\"\\\\]|\\\\["
            "\\\\\"n])*\")*)\\})? "
            "([-+0-9.e]+)");
        std::smatch match;
        REQUIRE(std::regex_match(line, match, form));
        const std::string name = match[1];
        const bool histogram = types_.at(family_) == "histogram";
        const bool right =
            histogram ? name == family_ + "_bucket" || name == family_ + "_sum" || name == family_ + "_count"
                      : name == family_;
        REQUIRE(right);
        const double value = std::stod(match[7]);
        REQUIRE(std::isfinite(value));
        REQUIRE(samples_.emplace(line.substr(0, line.rfind(' ')), value).second);
        order_.push_back(line);
    }
    void check_histogram(const std::string& name) const {
        double last = -1;
        std::string last_line;
        for (const std::string& line : order_) {
            if (!line.starts_with(name + "_bucket")) continue;
            const double value = std::stod(line.substr(line.rfind(' ')));
            CHECK(value >= last);
            last = value;
            last_line = line;
        }
        CHECK(last_line.find("le=\"+Inf\"") != std::string::npos);
    }

    std::string family_;
    std::set<std::string> helped_;
    std::map<std::string, std::string> types_;
    std::map<std::string, double> samples_;
    std::vector<std::string> order_;
};

struct World {
    Desired desired;
    Intent intent;
    Status status;
    Plan remaining;
    std::map<std::string, ObservedPlayers> players;
    std::map<std::string, ObservedTick> ticks;

    World() {
        desired.revision = "4f1c0d2e";
        desired.servers["a"].name = "a";
        desired.servers["b"].name = "b";
        desired.servers["b"].state = RunState::Stopped;
        intent.suspended.servers["b"] = {};
        status.last_pass = TimePoint(std::chrono::milliseconds(1'700'000'000'500));
        status.last_applied_revision = "4f1c0d2e";
        status.servers["a"].conditions = {
            {"Ready", ConditionStatus::True, StateReason::Running, "", {}, 1},
            {"Stalled", ConditionStatus::False, StateReason::NotStalled, "", {}, 1}};
        status.servers["b"].conditions = {
            {"Ready", ConditionStatus::False, StateReason::NotStopped, "", {}, 1},
            {"Stalled", ConditionStatus::True, StateReason::CrashLoop, "", {}, 1}};
        status.servers["b"].remembered.backoff.failures = 4;
        remaining.agreeing_servers = 1;
        remaining.differing_servers = 1;
    }
    Parsed parsed(const Counters* counters = nullptr) const {
        return Parsed(metrics_text(
            {desired, intent, status, remaining, "/etc/left4me/manifests", {}, players, ticks}, counters));
    }
};

}  // namespace

TEST_CASE("each server has metrics for ready, desired, stalled and suspended") {
    const Parsed parsed = World().parsed();
    CHECK(parsed.at(R"(left4me_server_ready{server="a"})") == 1);
    CHECK(parsed.at(R"(left4me_server_ready{server="b"})") == 0);
    CHECK(parsed.at(R"(left4me_server_desired_running{server="b"})") == 0);
    CHECK(parsed.at(R"(left4me_server_stalled{server="b",reason="CrashLoop"})") == 1);
    CHECK_FALSE(parsed.has(R"(left4me_server_stalled{server="a",reason="NotStalled"})"));
    CHECK(parsed.at(R"(left4me_server_failures{server="b"})") == 4);
    CHECK(parsed.at(R"(left4me_suspended{server="b"})") == 1);
    CHECK(parsed.at(R"(left4me_suspended{server="a"})") == 0);
}

TEST_CASE("players have metrics where the game answers, and none where they are unknown") {
    World world;
    world.players["a"] = {
        .count = 3, .max = 8, .map = "c1m1_hotel", .age = {}, .took = std::chrono::milliseconds(33)};
    CHECK(world.parsed().at(R"(left4me_server_players{server="a"})") == 3);
    CHECK(world.parsed().at(R"(left4me_server_players_max{server="a"})") == 8);
    CHECK(world.parsed().at(R"(left4me_server_query_seconds{server="a"})") == 0.033);
    CHECK_FALSE(world.parsed().has(R"(left4me_server_players{server="b"})"));
}

TEST_CASE("a tick has metrics where the game has been asked for it") {
    World world;
    world.ticks["a"] = {.rate = 29.5, .players = 3, .asked = {}, .age = {}};
    world.status.servers["a"].conditions.push_back(
        {"TickHealthy", ConditionStatus::False, HoldReason::Degraded, "", {}, 1});
    world.status.servers["b"].conditions.push_back(
        {"TickHealthy", ConditionStatus::Unknown, StateReason::NotMeasured, "", {}, 1});
    const Parsed parsed = world.parsed();
    CHECK(parsed.at(R"(left4me_server_frames_per_second{server="a"})") == 29.5);
    CHECK_FALSE(parsed.has(R"(left4me_server_frames_per_second{server="b"})"));
    CHECK(parsed.at(R"(left4me_server_tick_healthy{server="a"})") == 0);
    CHECK_FALSE(parsed.has(R"(left4me_server_tick_healthy{server="b"})"));
}

TEST_CASE("the pass and the source have metrics") {
    World world;
    CHECK(world.parsed().at("left4me_last_pass_timestamp_seconds") == 1'700'000'000.5);
    CHECK(world.parsed().at(R"(left4me_source_info{source="/etc/left4me/manifests",revision="4f1c0d2e"})") ==
          1);
    CHECK(world.parsed().at("left4me_source_ok") == 1);
    CHECK(world.parsed().at("left4me_revision_applied") == 1);
    world.status.source_error = "a.yaml:1:1: what is \"this\"";
    CHECK(world.parsed().at("left4me_source_ok") == 0);
}

TEST_CASE("a label may contain anything") {
    World world;
    world.desired.revision = "back\\slash \"quoted\"\nline";
    CHECK(world.parsed().has(
        R"(left4me_source_info{source="/etc/left4me/manifests",revision="back\\slash \"quoted\"\nline"})"));
}

TEST_CASE("the daemon's counters have controller-runtime's names, even before the first pass") {
    const Counters counters;
    const Parsed parsed = World().parsed(&counters);
    for (const char* name :
         {"controller_runtime_reconcile_total", "controller_runtime_reconcile_errors_total",
          "controller_runtime_reconcile_time_seconds", "controller_runtime_max_concurrent_reconciles",
          "controller_runtime_active_workers", "workqueue_depth", "workqueue_adds_total",
          "workqueue_queue_duration_seconds", "workqueue_work_duration_seconds", "workqueue_retries_total"}) {
        INFO(name);
        CHECK(parsed.types().contains(name));
    }
    CHECK(parsed.at(R"(controller_runtime_reconcile_total{controller="server",result="success"})") == 0);
}

TEST_CASE("passes, waits, actions and drift are counted") {
    using std::chrono::milliseconds;
    Counters counters;
    for (int i = 0; i < 3; ++i) {
        counters.added();
        counters.depth(2);
        counters.began(milliseconds(5));
        counters.ended(milliseconds(20), i == 2 ? Counters::Result::Error : Counters::Result::Success);
    }
    Plan plan;
    plan.actions = {{Verb::Start, {Kind::Server, "a"}, "because", {}, {}, {}},
                    {Verb::Stop, {Kind::Server, "b"}, "because", {}, {}, {}}};
    const std::vector<Outcome> outcomes{
        {.action = 0, .done = true, .message = {}},
        {.action = 1, .done = false, .reason = FailureKind::JobTimeout, .message = {}}};
    counters.actions(plan, outcomes);
    Event event;
    event.reason = "Started";
    event.drift = true;
    counters.events(std::vector{event, event});

    const Parsed parsed = World().parsed(&counters);
    CHECK(parsed.at(R"(controller_runtime_reconcile_total{controller="server",result="success"})") == 2);
    CHECK(parsed.at(R"(controller_runtime_reconcile_errors_total{controller="server"})") == 1);
    const std::string time = "controller_runtime_reconcile_time_seconds";
    CHECK(parsed.at(time + R"(_bucket{controller="server",le="0.01"})") == 0);
    CHECK(parsed.at(time + R"(_bucket{controller="server",le="0.025"})") == 3);
    CHECK(parsed.at(time + R"(_bucket{controller="server",le="+Inf"})") == 3);
    CHECK(parsed.at(time + R"(_count{controller="server"})") == 3);
    CHECK(std::abs(parsed.at(time + R"(_sum{controller="server"})") - 0.06) < 1e-9);
    CHECK(parsed.at(R"(workqueue_adds_total{controller="server",name="server"})") == 3);
    CHECK(parsed.at(R"(workqueue_depth{controller="server",name="server"})") == 2);
    CHECK(parsed.at(R"(left4me_actions_total{result="done",verb="start"})") == 1);
    CHECK(parsed.at(R"(left4me_actions_total{result="failed",verb="stop"})") == 1);
    CHECK(parsed.at(R"(left4me_drift_corrections_total{reason="Started"})") == 2);
}

TEST_CASE("the file for node_exporter is replaced atomically and readable by everybody") {
    const Scratch scratch;
    const std::filesystem::path path = scratch.path() / "left4me.prom";
    REQUIRE(write_textfile(path, "one 1\n"));
    REQUIRE(write_textfile(path, "two 2\n"));
    CHECK(scratch.read("left4me.prom") == "two 2\n");
    struct stat seen{};
    REQUIRE(::stat(path.c_str(), &seen) == 0);
    CHECK((seen.st_mode & 0777U) == 0644);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
        (void)entry;
        ++files;
    }
    CHECK(files == 1);
    CHECK_FALSE(write_textfile(scratch.path() / "missing" / "left4me.prom", "x 1\n"));
}
