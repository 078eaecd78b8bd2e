#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <vector>

#include "adapters/trigger/address.hpp"
#include "adapters/trigger/client.hpp"
#include "adapters/trigger/server.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;

namespace {

/// A daemon's end that takes note of what it is asked.
struct Site {
    left4me::test::Scratch scratch;
    Paths paths;
    boost::asio::io_context io;
    std::vector<TriggerRequest> requests;
    std::unique_ptr<TriggerServer> server;

    Site() {
        paths.run = scratch.path();
        std::filesystem::create_directories(paths.trigger().parent_path());
    }

    void open(std::optional<gid_t> group = std::nullopt) {
        auto opened = TriggerServer::open(
            io, paths, group, [this](const TriggerRequest& request) { requests.push_back(request); });
        REQUIRE(opened);
        server = std::move(*opened);
    }
    /// Until nothing can go on without somebody else. False: nothing did.
    bool turn() {
        io.restart();
        bool any = false;
        while (io.poll() > 0) any = true;
        return any;
    }
    std::vector<StepReport> read(TriggerClient& client) {
        std::vector<StepReport> reports;
        // What the client has read makes room for more.
        for (int idle = 0; idle < 2;) {
            const bool sent = turn();
            auto report = client.read();
            idle = sent || report ? 0 : idle + 1;
            if (report) reports.push_back(std::move(*report));
        }
        return reports;
    }
    void report(const std::string& revision, std::size_t outcomes = 0) {
        StepReport report;
        report.revision = revision;
        for (std::size_t i = 0; i < outcomes; ++i) {
            report.ended.plan.actions.push_back(
                {Verb::Start, {Kind::Server, "a"}, std::string(200, 'x'), {}, {}, {}});
            report.ended.outcomes.push_back({i, true, {}, {}, nullptr, {}});
        }
        server->report(report);
        turn();
    }
};

/// A connection that says what a test wants it to say.
Fd raw_client(const Paths& paths, const std::string& says) {
    const auto address = trigger_address(paths);
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0);
    REQUIRE(::send(socket.get(), says.data(), says.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(says.size()));
    return socket;
}

/// The other side has closed it.
bool is_dropped(const Fd& socket) {
    char byte = 0;
    const ssize_t got = ::recv(socket.get(), &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

}  // namespace

TEST_CASE("A trigger with nobody there says so", "[trigger]") {
    const Site site;
    CHECK(trigger(site.paths).error() == TriggerError::NoDaemon);
    CHECK(TriggerClient::connect(site.paths, {}).error() == TriggerError::NoDaemon);
}

TEST_CASE("A trigger is heard although its sender has gone at once", "[trigger]") {
    Site site;
    site.open();
    REQUIRE(trigger(site.paths, {.retry = true, .actor = "alice"}));
    site.turn();
    REQUIRE(site.requests.size() == 1);
    CHECK(site.requests.front().retry);
    CHECK(site.requests.front().actor == "alice");
}

TEST_CASE("A follower is told of every step from its trigger on", "[trigger]") {
    Site site;
    site.open();
    auto client = TriggerClient::connect(site.paths, {});
    REQUIRE(client);
    site.report("before");  // the request has not been read yet
    site.turn();
    REQUIRE(site.requests.size() == 1);
    site.report("r1", 2);
    site.report("r2", 1);
    const auto reports = site.read(*client);
    REQUIRE(reports.size() == 2);
    CHECK(reports[0].revision == "r1");
    CHECK(reports[0].seen);
    CHECK(reports[0].ended.outcomes.size() == 2);
    CHECK(reports[1].revision == "r2");
    CHECK_FALSE(client->is_closed());
    site.server.reset();
    site.turn();
    CHECK(site.read(*client).empty());
    CHECK(client->is_closed());
}

TEST_CASE("A slow follower gets less, and in the end is dropped", "[trigger]") {
    Site site;
    site.open();
    auto client = TriggerClient::connect(site.paths, {});
    REQUIRE(client);
    site.turn();
    for (int step = 0; step < 8; ++step) site.report("r" + std::to_string(step), 1000);
    auto reports = site.read(*client);
    // What it had no room for has become one report.
    REQUIRE(reports.size() < 8);
    std::size_t ended = 0;
    for (const StepReport& report : reports) ended += report.ended.outcomes.size();
    CHECK(ended == 8000);
    CHECK(reports.back().revision == "r7");
    for (int step = 0; step < 14; ++step) site.report("r" + std::to_string(step), 1000);
    (void)site.read(*client);
    CHECK(client->is_closed());
}

TEST_CASE("Garbage, too long a request and one too many are let go of", "[trigger]") {
    Site site;
    site.open();
    const Fd garbage = raw_client(site.paths, "\x01\x02{[\n");
    const Fd endless = raw_client(site.paths, std::string(5000, ' '));
    site.turn();
    CHECK(is_dropped(garbage));
    CHECK(is_dropped(endless));
    CHECK(site.requests.empty());

    std::vector<Fd> followers;
    for (int i = 0; i < 32; ++i) followers.push_back(raw_client(site.paths, "\n"));
    site.turn();
    CHECK(site.requests.size() == 32);
    const Fd one_too_many = raw_client(site.paths, "\n");
    site.turn();
    CHECK(is_dropped(one_too_many));
    CHECK(site.requests.size() == 33);  // what it came for is done
    CHECK_FALSE(is_dropped(followers.front()));
    followers.clear();
    site.turn();
    CHECK(TriggerClient::connect(site.paths, {}));
    site.turn();
    CHECK(site.requests.size() == 34);
}

TEST_CASE("A daemon that was killed does not keep the next one from listening", "[trigger]") {
    Site site;
    const Fd left_over(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = trigger_address(site.paths);
    REQUIRE(::bind(left_over.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0);
    CHECK(trigger(site.paths).error() == TriggerError::NoDaemon);
    site.open();
    CHECK(trigger(site.paths));
}

TEST_CASE("Only root, the owner and the operators' group may trigger, and strangers bring their own name",
          "[trigger]") {
    if (::geteuid() != 0) return;  // only root can switch users
    constexpr gid_t operators = 4242;
    Site site;
    for (const auto& path : {site.scratch.path(), site.paths.trigger().parent_path()})
        std::filesystem::permissions(path, std::filesystem::perms(0755));
    site.open(operators);
    struct stat status{};
    REQUIRE(::stat(site.paths.trigger().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0660U);
    CHECK(status.st_gid == operators);
    const auto trigger_as = [&](gid_t group) {
        REQUIRE(::setegid(group) == 0);
        REQUIRE(::seteuid(65534) == 0);
        const auto done = trigger(site.paths, {.retry = false, .actor = "somebody else"});
        REQUIRE(::seteuid(0) == 0);
        REQUIRE(::setegid(0) == 0);
        site.turn();
        return done;
    };
    CHECK(trigger_as(operators));
    REQUIRE(site.requests.size() == 1);
    CHECK(site.requests.front().actor == "nobody");
    CHECK(trigger_as(65534).error() == TriggerError::Refused);
    CHECK(trigger(site.paths, {.retry = false, .actor = "alice"}));
    site.turn();
    CHECK(site.requests.back().actor == "alice");
}
