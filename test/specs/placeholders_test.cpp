#include "specs/placeholders.hpp"

#include <map>

#include "support/catch.hpp"

using left4me::expand_argument;
using left4me::expand_config;
using left4me::secrets_in;
using left4me::substitute_secrets;

namespace {

std::string finish(const std::string& text, const std::string& secret = "s3cret") {
    const auto finished =
        substitute_secrets(expand_config(text, "comp1", 27015), [&](const std::string&) { return secret; });
    REQUIRE(finished);
    return *finished;
}

}  // namespace

TEST_CASE("placeholders of a server's name and port are replaced everywhere") {
    CHECK(expand_argument("${name}:${port}", "comp1", 27015) == "comp1:27015");
    CHECK(finish("hostname \"${name}\"\nport ${port}\n") == "hostname \"comp1\"\nport 27015\n");
}

TEST_CASE("a single dollar sign is text, and a doubled one before a brace gives a literal brace") {
    CHECK(expand_argument("$5 $name $$ a$", "comp1", 27015) == "$5 $name $$ a$");
    CHECK(expand_argument("$${name}", "comp1", 27015) == "${name}");
    CHECK(finish("$${name} $${secret:rcon} $$${port}") == "${name} ${secret:rcon} $${port}");
}

TEST_CASE("secrets are listed once each, and escaped ones never") {
    CHECK(secrets_in("${secret:a} ${secret:b.txt} ${secret:a} $${secret:c}") ==
          std::vector<std::string>{"a", "b.txt"});
}

TEST_CASE("expanding the config leaves secrets for the host to fill in") {
    CHECK(expand_config("rcon_password ${secret:rcon} ${name}", "comp1", 1) ==
          "rcon_password ${secret:rcon} comp1");
    CHECK(finish("rcon_password \"${secret:rcon}\"") == "rcon_password \"s3cret\"");
}

TEST_CASE("the content of a secret is never treated as a placeholder") {
    CHECK(finish("${secret:a}", "${name}$${x}${secret:a}") == "${name}$${x}${secret:a}");
}

TEST_CASE("a name cannot turn an escaped text into a secret") {
    CHECK(finish("$${se${name}") == "${secomp1");
    const auto finished = substitute_secrets(
        expand_config("$${se${name}:f}", "cret", 1),
        [](const std::string&) -> std::expected<std::string, std::string> { return std::string("leaked"); });
    CHECK(finished == std::string("${secret:f}"));
}

TEST_CASE("a secret that cannot be read makes the whole text an error") {
    const auto finished = substitute_secrets(
        "${secret:a}", [](const std::string& file) -> std::expected<std::string, std::string> {
            return std::unexpected("no file " + file);
        });
    REQUIRE_FALSE(finished);
    CHECK(finished.error() == "no file a");
}

TEST_CASE("only plain file names are names of secrets") {
    CHECK(left4me::is_valid_secret_file("rcon-1_a.txt"));
    for (const char* bad : {"", ".", "..", ".hidden", "a/b", "../x", "a b", "ä", "a\n"}) {
        CHECK_FALSE(left4me::is_valid_secret_file(bad));
    }
    CHECK_FALSE(left4me::is_valid_secret_file(std::string(65, 'a')));
}
