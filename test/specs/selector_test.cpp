#include "specs/selector.hpp"

#include "support/catch.hpp"

using namespace left4me;

namespace {

bool selects(const char* selector, const std::map<std::string, std::string>& labels) {
    const auto parsed = parse_selector(selector);
    REQUIRE(parsed);
    return matches(*parsed, labels);
}

}  // namespace

TEST_CASE("label selectors work as in kubectl") {
    const std::map<std::string, std::string> labels{{"pool", "competitive"}, {"tier", "gold"}};
    for (const char* selector : {"pool=competitive", "pool==competitive", "pool!=event", "other!=event",
                                 "pool", "!other", "pool=competitive,tier=gold", "pool=competitive,!other"}) {
        INFO(selector);
        CHECK(selects(selector, labels));
    }
    for (const char* selector : {"pool=event", "pool!=competitive", "other", "!pool",
                                 "pool=competitive,tier=silver", "Pool=competitive"}) {
        INFO(selector);
        CHECK_FALSE(selects(selector, labels));
    }
}

TEST_CASE("an invalid label selector is refused, and the error shows the syntax") {
    for (const char* text :
         {"", "=", "pool=", "=x", "pool=a b", "pool=x,", ",", "!", "!=x", "!pool=x", "pool=a=b", "p/x"}) {
        INFO(text);
        const auto parsed = parse_selector(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().find("KEY=VALUE") != std::string::npos);
    }
}
