#include <fmt/format.h>

#include <string>

#include "builder/steam/output.hpp"
#include "support/catch.hpp"

using namespace left4me::builder;

namespace {

SteamOutput output_of(std::string_view text) {
    SteamOutput output;
    output.feed(text);
    output.finish();
    return output;
}

SteamEnd end_of(std::string_view text, int exit_code) { return judge_update(output_of(text), exit_code).end; }

constexpr std::string_view installed = "Success! App '222860' fully installed.\n";

}  // namespace

TEST_CASE("an update is done if steamcmd says so and its exit code agrees") {
    CHECK(end_of(installed, 0) == SteamEnd::Done);
    CHECK(end_of("Success! App '222860' already up to date.\r\n", 0) == SteamEnd::Done);
    CHECK(end_of("Loading Steam API...OKSuccess! App '222860' fully installed.", 0) == SteamEnd::Done);
    CHECK(end_of("", 0) == SteamEnd::Retry);
    CHECK(end_of(installed, 8) == SteamEnd::Retry);
    CHECK(end_of("Success! App '730' fully installed.\n", 0) == SteamEnd::Retry);
}

TEST_CASE("what steamcmd cannot mend is told at once, with its own words") {
    const auto verdict =
        judge_update(output_of("ERROR! Failed to install app '222860' (No subscription)\n"), 8);
    CHECK(verdict.end == SteamEnd::Fatal);
    CHECK(verdict.message.contains("(ERROR! Failed to install app '222860' (No subscription))"));
    CHECK(end_of("ERROR! Failed to install app '222860' (Invalid platform)\n", 8) == SteamEnd::Fatal);
    CHECK(end_of("./steamcmd.sh: line 29: linux32/steamcmd: No such file or directory\n", 127) ==
          SteamEnd::Fatal);
    CHECK(end_of("Logging in user 'X' to Steam Public...FAILED (Rate Limit Exceeded)\n", 5) ==
          SteamEnd::Fatal);
    CHECK(end_of("Logging in user 'X' to Steam Public...ERROR (Rate Limit Exceeded)\n", 5) ==
          SteamEnd::Fatal);
}

TEST_CASE("what ends by itself is tried again") {
    for (const char* const state : {"0x402", "0x602"})
        CHECK(end_of(fmt::format("Error! App '222860' state is {} after update job.\n", state), 8) ==
              SteamEnd::Retry);
    CHECK(end_of("ERROR! Timed out waiting for AppInfo update.\n", 1) == SteamEnd::Retry);
    CHECK(end_of("", 137) == SteamEnd::Retry);
    CHECK(end_of("[----] Update complete, launching Steamcmd...\n", 42) == SteamEnd::Again);
    CHECK(end_of("ERROR! Failed to install app '222860' (Missing configuration)\n", 8) ==
          SteamEnd::WithoutValidate);
    for (const char* const state : {"0x6", "0xE", "0x406"})
        CHECK(end_of(fmt::format("Error! App '222860' state is {} after update job.\n", state), 8) ==
              SteamEnd::Stuck);
}

TEST_CASE("a full disk is one") {
    for (const char* const state : {"0x202", "0x212"})
        CHECK(end_of(fmt::format("Error! App '730' state is {} after update job.\n", state), 8) ==
              SteamEnd::DiskFull);
}

TEST_CASE("progress is read from glued lines, in any language, and in any pieces") {
    const std::string text =
        "\x1b[0mWaiting for confirmation... Update state (0x61) downloading, progress: 45,50 (100 / 220)\r"
        " Update state (0x5) verifying, progress: 0,00 (0 / 0)\r";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        SteamOutput output;
        output.feed(text.substr(0, cut));
        output.feed(text.substr(cut));
        REQUIRE(output.progress() == SteamProgress{0x5, 0, 0});
    }
    CHECK(output_of(text.substr(0, text.find('\r'))).progress() == SteamProgress{0x61, 100, 220});
    for (const char* const wrong :
         {"Update state (0x) x (1 / 2)", "Update state (0x61", "Update state (0x61) (1 / )",
          "Update state (0x61) (99999999999999999999999 / 2)"})
        CHECK_FALSE(output_of(wrong).progress());
}

TEST_CASE("a line without an end takes no more memory than one with one") {
    SteamOutput output;
    for (int i = 0; i < 1000; ++i) output.feed(std::string(10'000, 'x'));
    output.feed("\n");
    output.feed(installed);
    CHECK(output.succeeded());
}

TEST_CASE("the newest build is that of the public branch") {
    const auto info = output_of(
        "\"222860\"\n{\n\"depots\"\n{\n\"222861\"\n{\n\"public\" { }\n\"buildid\" \"3\"\n}\n\"branches\"\n{\n"
        "\"public\"\n{\n\"buildid\"\t\t\"16546402\"\n\"timeupdated\" \"1\"\n}\n\"beta\"\n{\n\"buildid\" "
        "\"1\"\n}\n}\n");
    CHECK(info.public_build() == "16546402");
    CHECK(judge_lookup(info, 0).end == SteamEnd::Done);
    CHECK(judge_lookup(output_of("No app info for AppID 222860 found, requesting...\n"), 0).end ==
          SteamEnd::Retry);
    CHECK(output_of("\"branches\"\n\"public\"\n\"buildid\" \"../x\"\n").public_build().empty());
}

TEST_CASE("the installed build is in what steamcmd notes") {
    CHECK(
        build_in_manifest("\"AppState\"\n{\n\t\"StateFlags\"\t\t\"4\"\n\t\"buildid\"\t\t\"16546402\"\n}\n") ==
        "16546402");
    CHECK(build_in_manifest("").empty());
    CHECK(build_in_manifest("\"buildid\" \"x\"").empty());
}
