#include "adapters/rcon/cvar_lines.hpp"

#include <algorithm>

#include "support/catch.hpp"

using namespace left4me::rcon;

namespace {

using Values = std::map<std::string, std::optional<std::string>>;

}  // namespace

TEST_CASE("cvars are read from what the game prints about them") {
    const std::string text =
        "\"sv_maxrate\" = \"30000\" ( def. \"0\" ) min. 0.000000 max. 100000.000000 replicated\n"
        " - Max bandwidth rate allowed on server, 0 == unlimited\n"
        "\"sv_tags\" = \"\" notify\r\n - Server tags.\n"
        "help:  no cvar or command named sv_maxrat\n"
        "\"quit\" \n - Exit the engine.\n";
    CHECK(parse_cvars(text) ==
          Values{
              {"sv_maxrate", "30000"}, {"sv_tags", ""}, {"sv_maxrat", std::nullopt}, {"quit", std::nullopt}});
}

TEST_CASE("names do not depend on upper and lower case") {
    CHECK(parse_cvars("\"CreateHairball\" = \"1\"\n") == Values{{"createhairball", "1"}});
}

TEST_CASE("a cvar that is described in two ways is not known") {
    const std::string said = "\"sv_cheats\" = \"0\"\n\"sv_cheats\" = \"1\"\n\"sv_tags\" = \"a\"\n";
    CHECK(parse_cvars(said) == Values{{"sv_tags", "a"}});
    CHECK(parse_cvars("\"sv_cheats\" = \"0\"\n\"sv_cheats\" = \"0\"\n") == Values{{"sv_cheats", "0"}});
}

TEST_CASE("lines that are something else, or longer than any value, say nothing") {
    CHECK(parse_cvars("").empty());
    CHECK(parse_cvars("\"\" = \"1\"\n\"sv_tags = \"1\"\n").size() <= 1);
    CHECK(parse_cvars("\"sv_tags\" = \"1\n").empty());
    CHECK(parse_cvars("\"sv_tags\" = \"" + std::string(2000, 'x') + "\"\n").empty());
    CHECK(parse_cvars("\"" + std::string(300, 'x') + "\" = \"1\"\n").empty());
}

TEST_CASE("reading runs no command, and no line is longer than the game takes") {
    CHECK(lines_that_read({"quit", "sv_tags"}) == std::vector<std::string>{"help quit;help sv_tags"});
    std::set<std::string> names;
    std::map<std::string, std::string> values;
    for (int i = 0; i < 128; ++i) {
        names.insert("sv_cvar_" + std::to_string(i));
        values["sv_cvar_" + std::to_string(i)] = std::string(255, 'x');
    }
    for (const auto& lines : {lines_that_read(names), lines_that_set(values)}) {
        CHECK(std::all_of(lines.begin(), lines.end(), [](const auto& line) { return line.size() <= 480; }));
    }
    CHECK(lines_that_set({{"hostname", "a b"}, {"sv_tags", ""}}) ==
          std::vector<std::string>{"hostname \"a b\";sv_tags \"\""});
}
