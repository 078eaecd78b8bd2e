#include "l4d2ctl/read_service.hpp"

#include "support/catch.hpp"

using namespace left4me::ctl;
using namespace std::string_literals;

TEST_CASE("a request to the read service comes out as it went in") {
    const ReadRequest sent{.arguments = {"get", "", "servers"}, .environment = {"COLUMNS=80", "LANG="}};
    const auto received = decode(encode(sent));
    REQUIRE(received);
    CHECK(received->arguments == sent.arguments);
    CHECK(received->environment == sent.environment);
}

TEST_CASE("the read service believes nothing of an environment but how output should look") {
    const auto received = decode("LD_PRELOAD=/tmp/x\0PATH=/tmp\0COLUMNS\0TERM=xterm\0\0get\0"s);
    REQUIRE(received);
    CHECK(received->environment == std::vector<std::string>{"TERM=xterm"});
}

TEST_CASE("bytes that are no request to the read service are refused") {
    for (const std::string& bytes : {""s, "\0"s, "get"s, "get\0"s, "\0get"s}) {
        INFO(bytes);
        CHECK_FALSE(decode(bytes));
    }
    std::string many(1, '\0');
    for (int i = 0; i < 5000; ++i) many += "x\0"s;
    CHECK_FALSE(decode(many));
}

TEST_CASE("only verbs that show the host are served") {
    for (const char* verb :
         {"get", "describe", "diff", "explain-path", "players", "status", "top", "tree", "wait"})
        CHECK(is_served(verb));
    for (const char* verb : {"apply", "stop", "suspend", "reset", "logs", "hook", ""})
        CHECK_FALSE(is_served(verb));
}
