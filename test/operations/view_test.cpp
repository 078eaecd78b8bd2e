#include "operations/selection.hpp"
#include "operations/server_view.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::operations;

TEST_CASE("ages are short and never negative") {
    using namespace std::chrono_literals;
    const TimePoint then = TimePoint(1'700'000'000s);
    CHECK(age_text(then, then - 5s) == "0s");
    CHECK(age_text(then, then + 59s) == "59s");
    CHECK(age_text(then, then + 61min) == "1h01m");
    CHECK(age_text(then, then + 59min) == "59m");
    CHECK(age_text(then, then + 30h) == "30h");
    CHECK(age_text(then, then + 72h) == "3d");
    CHECK(time_text(then) == "2023-11-14T22:13:20Z");
}

TEST_CASE("servers are chosen by name, by labels or all") {
    ManifestSet set;
    set.servers["a"].metadata.labels = {{"pool", "x"}};
    set.servers["b"].metadata.labels = {{"pool", "y"}};
    set.servers["c"];
    CHECK(select_servers({.names = {"c", "a"}}, set) == std::vector<std::string>{"c", "a"});
    CHECK(select_servers({.selector = "pool=x"}, set) == std::vector<std::string>{"a"});
    CHECK(select_servers({.selector = "pool!=x"}, set) == std::vector<std::string>{"b", "c"});
    CHECK(select_servers({.all = true}, set)->size() == 3);
    CHECK(select_servers({.selector = "pool=z"}, set).error().kind == ErrorKind::NotFound);
    CHECK(select_servers({.names = {"a", "d"}}, set).error().kind == ErrorKind::NotFound);
}
