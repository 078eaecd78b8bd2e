#include "adapters/probes/published.hpp"

#include <fstream>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::probes;
using std::chrono::milliseconds;

namespace {

Published made(std::uint16_t port, unsigned players, milliseconds asked) {
    return {.address = "0.0.0.0",
            .port = port,
            .asked = asked,
            .players = players,
            .max_players = 8,
            .map = "c1m1_hotel",
            .took = milliseconds(33)};
}

std::string document(std::vector<Published> answers) {
    return to_text({.looked = {}, .answers = std::move(answers), .sockets = {}});
}

struct Host {
    test::Scratch scratch;
    Paths paths;

    Host() {
        paths.run = scratch.path() / "run";
        std::filesystem::create_directories(paths.probe_answers().parent_path());
    }
    void write(const std::string& text) const { std::ofstream(paths.probe_answers()) << text; }
};

}  // namespace

TEST_CASE("what the probe publishes is read again") {
    const Document all{.looked = milliseconds(99),
                       .answers = {made(27015, 3, milliseconds(1234)), made(1, 0, {}), made(65535, 255, {})},
                       .sockets = {{27015, milliseconds(7), {}}, {1, milliseconds(8), milliseconds(9)}}};
    const auto read = parse(to_text(all));
    REQUIRE(read);
    CHECK(*read == all);
    CHECK(*parse(to_text({})) == Document{});
}

TEST_CASE("a map that is no name is made one") {
    Published odd = made(27015, 3, {});
    odd.map = "\x1b[31m\xff\n" + std::string(1000, 'm');
    const auto read = parse(document({odd}));
    REQUIRE(read);
    CHECK(read->answers.front().map.starts_with("?[31m??mmm"));
    CHECK(read->answers.front().map.size() == 128);
}

TEST_CASE("no more than a thousand games are published, and none of more is read") {
    std::vector<Published> all(max_published + 1, made(27015, 0, {}));
    CHECK(parse(document(all))->answers.size() == max_published);
    std::string text = document(all);
    const std::string one = document({made(27016, 0, {})});
    const std::string entry = one.substr(one.find("[{") + 1, one.find("}]") - one.find("[{"));
    text.insert(text.find("[{") + 1, entry + ",");
    CHECK_FALSE(parse(text));
}

TEST_CASE("what is not exactly such a document is refused without quoting it") {
    const std::string good = document({made(27015, 3, milliseconds(1234))});
    REQUIRE(parse(good));
    for (std::size_t size = 0; size + 1 < good.size(); ++size) CHECK_FALSE(parse(good.substr(0, size)));
    const auto with = [&](const std::string& from, const std::string& into) {
        std::string text = good;
        text.replace(text.find(from), from.size(), into);
        return text;
    };
    for (const std::string& bad :
         {with("27015", "0"), with("27015", "65536"), with("27015", "-1"), with("27015", "\"secret\""),
          with("\"players\":3", "\"players\":256"), with("\"players\":3", "\"players\":-1"),
          with("\"players\":3", "\"people\":3"), with("\"version\":1", "\"version\":2"),
          with("c1m1_hotel", std::string(200, 'x')), std::string("secret"), std::string("[]"),
          std::string("{\"version\":1,\"looked\":1,\"servers\":{},\"sockets\":[]}"),
          std::string("{\"version\":1,\"servers\":[],\"sockets\":[]}")}) {
        CAPTURE(bad);
        const auto read = parse(bad);
        REQUIRE_FALSE(read);
        CHECK(read.error().find("secret") == std::string::npos);
    }
}

TEST_CASE(
    "games on the same port of different addresses count as one, with the most players and the oldest "
    "answer") {
    const Host host;
    Published other = made(27015, 2, milliseconds(500));
    other.address = "192.0.2.1";
    host.write(document({made(27015, 0, milliseconds(900)), other, made(27016, 0, milliseconds(700))}));
    const auto known = read_known(host.paths);
    REQUIRE(known);
    REQUIRE(known->answers.size() == 2);
    CHECK(known->answers.at(27015).players == 2);
    CHECK(known->answers.at(27015).asked == milliseconds(500));
    CHECK(known->answers.at(27016).players == 0);
}

TEST_CASE("without a probe nothing is known, and the message names its file") {
    const Host host;
    const auto known = read_known(host.paths);
    REQUIRE_FALSE(known);
    CHECK(known.error().find("servers.json") != std::string::npos);
}

TEST_CASE("the age of an answer is counted from its question") {
    CHECK(observed(made(1, 0, milliseconds(400)), milliseconds(1000)).age == milliseconds(600));
    CHECK(shows_empty(observed(made(1, 0, milliseconds(0)), milliseconds(5000))));
    CHECK_FALSE(shows_empty(observed(made(1, 0, milliseconds(0)), milliseconds(5001))));
    CHECK_FALSE(shows_empty(observed(made(1, 1, milliseconds(0)), milliseconds(0))));
}

TEST_CASE("an answer from the future shows nothing") {
    CHECK_FALSE(shows_empty(observed(made(1, 0, milliseconds(1001)), milliseconds(1000))));
}

TEST_CASE("of sockets on one port it counts which was read last, and from when the probe has watched both") {
    const Host host;
    host.write(to_text({.looked = milliseconds(1000),
                        .answers = {},
                        .sockets = {{1, milliseconds(100), milliseconds(200)},
                                    {1, milliseconds(300), milliseconds(400)},
                                    {2, milliseconds(100), milliseconds(200)},
                                    {2, milliseconds(100), {}}}}));
    const auto known = read_known(host.paths);
    REQUIRE(known);
    const ObservedSocket one = observed_socket(*known, 1, milliseconds(1000)).value();
    CHECK(one.silent == milliseconds(700));
    CHECK(one.unread == milliseconds(600));
    CHECK_FALSE(observed_socket(*known, 2, milliseconds(1000))->unread);
    CHECK_FALSE(observed_socket(*known, 3, milliseconds(1000)));
    CHECK(is_at_work(*known, milliseconds(11'000)));
    CHECK_FALSE(is_at_work(*known, milliseconds(11'001)));
    CHECK_FALSE(is_at_work(*known, milliseconds(999)));
}
