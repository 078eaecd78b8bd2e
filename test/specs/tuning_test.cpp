// What left4me may set of units: the grammar that left4me-helper, which is root, checks.
#include "specs/tuning.hpp"

#include "support/catch.hpp"

using namespace left4me;

TEST_CASE("a set of processors is read as it is written, and nothing else is one") {
    for (const char* text : {"0", "0-1", "2,4,6", "0-3,8-11", "8191"}) {
        INFO(text);
        const auto cpus = parse_cpus(text);
        REQUIRE(cpus);
        CHECK(to_text(*cpus) == text);
    }
    CHECK(parse_cpus("3,1-2,2") == Cpus{1, 2, 3});
    for (const char* text : {"", " ", "a", "-1", "1-", "2-1", "1,", ",1", "01", "0-01", "8192", "99999999999",
                             "1 2", "1\n", "+1", "0x1", "1--2", "1-2-3"}) {
        INFO(text);
        CHECK_FALSE(parse_cpus(text));
    }
}

TEST_CASE("only the units of games, and those that have everything else, are tuned") {
    for (const char* unit : {"init.scope", "system.slice", "user.slice", "left4me.slice",
                             "left4me-server@.service", "left4me-server@comp1.service"}) {
        INFO(unit);
        CHECK(may_be_tuned(unit));
    }
    for (const char* unit :
         {"", "ssh.service", "machine.slice", "-.slice", "left4me.service", "left4me-server@",
          "left4me-server@service", "left4me-server@A.service", "left4me-server@../x.service",
          "left4me-server@a/b.service", "left4me-server@a.b.service", "left4me-game.slice",
          "left4me-server@comp1.service.d", "left4me-build@comp1.service"}) {
        INFO(unit);
        CHECK_FALSE(may_be_tuned(unit));
    }
}

TEST_CASE("a setting is one of a few, with a value within its bounds, written in one way") {
    constexpr const char* all = "left4me-server@.service";
    const auto may = [](const char* unit, const char* name, const std::string& value) {
        return is_valid_setting(unit, name, value);
    };
    CHECK(may(all, "Nice", "-15"));
    CHECK(may(all, "Nice", "19"));
    CHECK(may(all, "CPUWeight", "10000"));
    CHECK(may(all, "MemoryMax", "2147483648"));
    CHECK(may(all, "AllowedCPUs", "0-3,8"));
    CHECK(may(all, "LEFT4ME_DSCP", "0"));
    CHECK(may("left4me-server@comp1.service", "LEFT4ME_DSCP", "63"));
    CHECK(may("left4me.slice", "AllowedCPUs", "1"));
    CHECK(may("init.scope", "AllowedCPUs", "1"));
    for (const char* value :
         {"-16", "20", "", "-0", "+1", "05", " 5", "5 ", "5\nExecStart=/bin/sh", "5%", "0x5"}) {
        INFO(value);
        CHECK_FALSE(may(all, "Nice", value));
    }
    CHECK(may(all, "StartParallel", "8"));
    CHECK_FALSE(may(all, "StartParallel", "0"));
    CHECK_FALSE(may(all, "StartParallel", "1 x"));
    CHECK_FALSE(may("left4me.slice", "StartParallel", "8"));
    CHECK_FALSE(may(all, "CPUWeight", "0"));
    CHECK_FALSE(may(all, "CPUWeight", "idle"));
    CHECK_FALSE(may(all, "MemoryMax", "1"));
    CHECK_FALSE(may(all, "MemoryMax", "infinity"));
    CHECK_FALSE(may(all, "MemoryMax", "99999999999999999999"));
    CHECK_FALSE(may(all, "AllowedCPUs", "3,1"));
    CHECK_FALSE(may(all, "AllowedCPUs", "1,1"));
    CHECK_FALSE(may(all, "AllowedCPUs", ""));
    for (const char* value : {"64", "-1", "ef", "", "046", "46 LD_PRELOAD=x", "46\nLD_PRELOAD=x", "\"46\""}) {
        INFO(value);
        CHECK_FALSE(may(all, "LEFT4ME_DSCP", value));
    }
    CHECK_FALSE(may("left4me.slice", "LEFT4ME_DSCP", "46"));
    CHECK_FALSE(may(all, "LEFT4ME_LOOPBACK_PORTS", "22"));
    CHECK_FALSE(may(all, "Environment", "46"));
    CHECK_FALSE(may(all, "ExecStart", "1"));
    CHECK_FALSE(may(all, "nice", "1"));
    CHECK_FALSE(may("system.slice", "CPUWeight", "100"));
    CHECK_FALSE(may("left4me.slice", "MemoryMax", "2147483648"));
    CHECK_FALSE(may("ssh.service", "AllowedCPUs", "1"));
}

TEST_CASE("a drop-in has the section of its unit, and says who writes it") {
    CHECK(tuning_text("left4me-server@a.service", {{"Nice", "-5"}, {"CPUWeight", "200"}}) ==
          "# left4me writes this file after the manifest host/this, and undoes other changes of it.\n"
          "[Service]\nCPUWeight=200\nNice=-5\n");
    CHECK(tuning_text("left4me-server@.service", {{"Nice", "1"}, {"LEFT4ME_DSCP", "46"}})
              .ends_with("\n[Service]\nEnvironment=LEFT4ME_DSCP=46\nNice=1\n"));
    CHECK(tuning_text("user.slice", {{"AllowedCPUs", "0-1"}}).ends_with("\n[Slice]\nAllowedCPUs=0-1\n"));
    CHECK(tuning_text("init.scope", {}).ends_with("\n[Scope]\n"));
}

TEST_CASE("the pace of a boot is a line before the game, and has no limit of time but its own") {
    const std::string text = tuning_text("left4me-server@.service", {{"Nice", "-5"}, {"StartParallel", "8"}});
    CHECK(text.find("\nTimeoutStartSec=infinity\nExecStartPre=-/") != std::string::npos);
    CHECK(text.ends_with("/left4me-turn %i 8\n"));
}
