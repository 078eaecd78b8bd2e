#include "specs/schema.hpp"

#include <nlohmann/json.hpp>
#include <regex>

#include "adapters/config/table.hpp"
#include "cases.hpp"
#include "specs/field_description.hpp"
#include "specs/fields.hpp"
#include "specs/name.hpp"
#include "specs/patterns.hpp"
#include "specs/reference.hpp"
#include "specs/text_checks.hpp"
#include "support/catch.hpp"

using namespace left4me;
using nlohmann::json;

namespace {

/// Every field of the table is in the schema with the same name, requirement and limits.
void compare(const Field& field, const json& schema) {
    INFO(field.name);
    CHECK(schema.at("description") == std::string(field.documentation));
    if (field.type == Type::Port) {
        CHECK(schema.at("minimum") == field.minimum);
        CHECK(schema.at("maximum") == field.maximum);
    }
    if (field.type == Type::Enum) CHECK(schema.at("enum").size() == field.values.size());
    if (field.type == Type::List) {
        const json& list = field.or_one ? schema.at("anyOf").at(1) : schema;
        CHECK(list.at("maxItems") == field.maximum);
        compare(field.children[0], list.at("items"));
        if (field.or_one) compare(field.children[0], schema.at("anyOf").at(0));
    }
    if (!has_named_children(field)) return;
    CHECK(schema.at("additionalProperties") == false);
    for (const Field& child : field.children) {
        compare(child, schema.at("properties").at(std::string(child.name)));
        const json required = schema.value("required", json::array());
        CHECK((std::find(required.begin(), required.end(), std::string(child.name)) != required.end()) ==
              child.required);
    }
    CHECK(schema.at("properties").size() == field.children.size());
}

/// A field as narrow as those of the table.
Field field_of(Type type) {
    Field field{.name = "test", .type = type, .documentation = "test"};
    if (type == Type::Duration || type == Type::Deadline) field.maximum = max_duration.count();
    return field;
}

bool matches(Type type, const std::string& text) {
    return std::regex_search(text, std::regex(pattern_of(field_of(type)), std::regex::ECMAScript));
}

}  // namespace

TEST_CASE("the schema is JSON and agrees with the table on every field") {
    const json schema = json::parse(json_schema());
    CHECK(schema.at("$schema") == "https://json-schema.org/draft/2020-12/schema");
    CHECK(schema.at("allOf").size() == kinds().size());
    for (const KindEntry& kind : kinds())
        compare(kind.object, schema.at("$defs").at(std::string(kind.object.name)));
}

TEST_CASE("the patterns of the schema agree with the checks of the parser") {
    for (const char* text : {"a", "comp-1", "0", "-a", "a-", "A", "a_b", "", "a--b", "ä", "a b"}) {
        INFO(text);
        CHECK(matches(Type::Name, text) == is_valid_name(text));
    }
    const auto agree = [](Type type, const char* text) {
        INFO(text);
        CHECK(matches(type, text) == check_text(field_of(type), text).empty());
    };
    for (const char* text :
         {"https://example.org", "https://example.org/a%20b.zip?x=1&y=@z", "https://[::1]:8443/a",
          "https://h?x", "https:///a", "https://me@h/a", "https://h/a#b", "https://h/a b", "http://h/a",
          "h/a", "", "/srv/a.zip", "/srv/../a.zip", "/var/lib/left4me/a.zip", "/"}) {
        agree(Type::ArchiveUrl, text);
        agree(Type::HttpsUrl, text);
    }
    for (const char* text : {"https://example.org",
                             "https://example.org/a%20b.git",
                             "https://[::1]:8443/a",
                             "https://h/a/",
                             "https://h/",
                             "https://h?x",
                             "https://h/a?x",
                             "https:///a",
                             "https://me@h/a",
                             "https://h/a@b",
                             "https://h/a#b",
                             "https://h/a b",
                             "http://h/a",
                             "git://h/a",
                             "ssh://git@h/a",
                             "ssh://h:22/~b/a.git",
                             "ssh://h:0/a",
                             "ssh://h:022/a",
                             "ssh://h:65535/a",
                             "ssh://h:65536/a",
                             "ssh://h:/a",
                             "ssh://h/",
                             "ssh://h",
                             "ssh:///a",
                             "ssh://a:b@h/a",
                             "ssh://a@b@h/a",
                             "ssh://-h/a",
                             "ssh://-a@h/a",
                             "ssh://h/a%20b",
                             "ssh://h/a b",
                             "ssh://h/ä",
                             "git@h:a.git",
                             "git@h:/a.git",
                             "git@h:-a.git",
                             "git@h:a%20b",
                             "git@h:a b",
                             "git@h:a://b",
                             "git@h:",
                             "git@-h:a",
                             "git@h/b:a",
                             "@h:a",
                             "h:a",
                             "h/a",
                             "",
                             "/srv/a.git",
                             "/srv/../a.git",
                             "/var/lib/left4me/a.git",
                             "/"})
        agree(Type::GitUrl, text);
    for (const char* text : {"main",
                             "v1.2.3",
                             "refs/heads/main",
                             "feature/a-b_c",
                             "größe",
                             "",
                             "@",
                             "a@b",
                             "@{x",
                             "a@{1}",
                             "-a",
                             "a..b",
                             ".a",
                             "a/.b",
                             "a.",
                             "a.lock",
                             "a.lock/b",
                             "a.locks",
                             "/a",
                             "a/",
                             "a//b",
                             "a b",
                             "a~1",
                             "a^",
                             "a:b",
                             "a?",
                             "a*",
                             "a[b",
                             "a\\b",
                             "0123456789012345678901234567890123456789"})
        agree(Type::GitRef, text);
    const std::string some(240, 'A');
    for (const std::string& text : {"ssh-ed25519 AAAA" + some.substr(0, 64),
                                    "ssh-ed25519 AAAA" + some.substr(0, 63),
                                    "ssh-ed25519 AAAA" + some.substr(0, 65),
                                    "ssh-ed25519 AAAA" + some.substr(0, 63) + "=",
                                    "ssh-ed25519 BAAA" + some.substr(0, 64),
                                    "ssh-ed25519  AAAA" + some.substr(0, 64),
                                    "ssh-ed25519 AAAA" + some.substr(0, 63) + "-",
                                    "h ssh-ed25519 AAAA" + some.substr(0, 64),
                                    "ecdsa-sha2-nistp256 AAAA" + some.substr(0, 132),
                                    "ecdsa-sha2-nistp384 AAAA" + some.substr(0, 131),
                                    "ecdsa-sha2-nistp521 AAAA" + some.substr(0, 236),
                                    "ecdsa-sha2-nistp521 AAAA" + some.substr(0, 237),
                                    "ecdsa-sha2-nistp256 AAAA" + some.substr(0, 132) + "=",
                                    "ecdsa-sha2-nistp256 AAAA" + some.substr(0, 132) + "==",
                                    "ecdsa-sha2-nistp256 AAAA" + some.substr(0, 132) + "===",
                                    "ecdsa-sha2-nistp257 AAAA" + some.substr(0, 132),
                                    "ssh-rsa AAAA" + some.substr(0, 64),
                                    std::string("ssh-ed25519"),
                                    std::string("ssh-ed25519 "),
                                    std::string()})
        agree(Type::HostKey, text.c_str());
    for (const char* text : {".", "a", "a/b", "./a", "..", "a/..", "/a", "", "a\\b"})
        agree(Type::TreePath, text);
    for (const char* text :
         {"1", "698857882", "0", "01", "", "x", "1x", "-1", "9999999999999999999", "99999999999999999999"})
        agree(Type::WorkshopId, text);
    const std::string sha256(64, 'a');
    for (const std::string& text :
         {sha256, sha256 + "a", sha256.substr(1), "A" + sha256.substr(1), std::string()})
        agree(Type::Sha256, text.c_str());
    for (const char* text : {"a.b_c-D9", "", "a b", "ä", "a/b"}) agree(Type::Label, text);
    for (const char* text : {"90s",    "30m",    "12h",      "2d",       "0s",  "5",    "5w",   "-1s",
                             "1.5h",   "s",      "",         "30d",      "31d", "720h", "721h", "43200m",
                             "43201m", "99999m", "2592000s", "2592001s", "03h", "100s", "719h", "29d"}) {
        agree(Type::Duration, text);
    }
    for (const char* text : {"0", "1", "010", "-1", "1.5", "", "1e3", "18446744073709551615"})
        agree(Type::Integer, text);
    for (const char* text : {"0", "512", "1Ki", "2Gi", "2GiB", "2G", "2 Gi", "Gi", "01Ki", "1Pi", ""})
        agree(Type::Size, text);
    for (const char* text : {"0%", "25%", "100%", "101%", "025%", "25", "%", ""})
        agree(Type::Percentage, text);
    for (const char* text :
         {"1", "25", "9999", "10000", "0", "01", "1%", "25%", "100%", "0%", "101%", "01%", "%", ""})
        agree(Type::Share, text);
    for (const char* text :
         {"ef",  "cs0", "cs7",  "af11", "af43", "va",  "le", "0",    "9",    "59", "63", "EF",
          "Cs4", "cs8", "af14", "af51", "af1",  "046", "-1", "0x2e", "46.0", "be", ""})
        agree(Type::Dscp, text);
    for (const char* text : {"00:00", "23:59", "24:00", "4:00", "04:60", "04:00:00", "", "+4:00"})
        agree(Type::TimeOfDay, text);
    for (const char* text : {"12h", "30d", "31d", "06:00", "6:00", "24:00", "0s", "", "12h06:00"})
        agree(Type::Deadline, text);
    for (const char* text : {"04:00-08:00", "23:00-06:00", "04:00-04:00", "4:00-8:00", "04:00", "04:00-24:00",
                             "04:00-08:00-12:00", "04:00 - 08:00", ""})
        agree(Type::Window, text);
    for (const char* text : {"04:00", "Mon 05:00", "Mon,Thu 05:00", "Mon..Fri,Sun 05:00", "mon 05:00", "Mon",
                             "Mon  05:00", "Mon, 05:00", "*-*-* 05:00", "", " 05:00"}) {
        agree(Type::Calendar, text);
    }
    for (const char* text : {"/srv/a", "/srv/a.b", "/srv/..a", "srv", "/", "", "/srv/", "/srv//a",
                             "/srv/../a", "/srv/.", "/./a", "/var", "/var/lib", "/var/lib/left4me",
                             "/var/lib/left4me/overlays", "/var/lib/left4me2", "/var/lib2", "/variety"}) {
        agree(Type::Directory, text);
    }
    for (const char* text :
         {"a", "a/b.cfg", "..a/b", "/a", "", "a/", "a//b", "../a", "a/..", "a/./b", "a\\b"}) {
        agree(Type::FilePath, text);
    }
    for (const char* text : {"-tickrate",
                             "-port",
                             "-PORT",
                             "+IP 10.0.0.1",
                             "-port=1",
                             "-portable",
                             "${name}",
                             "${port}",
                             "${nam}",
                             "${secret:rcon}",
                             "$${anything",
                             "$$${name}",
                             "$",
                             "a$",
                             "$$",
                             "${",
                             "$${",
                             "+Rcon_Password",
                             "x rcon_password y",
                             "a${name",
                             "${}",
                             "$$$${port}"}) {
        agree(Type::Argument, text);
    }
    for (const char* text :
         {"", "two\nlines ${name}", "${secret:rcon}", "${secret:}", "${secret:.a}", "${secret:a/b}",
          "${secret:a b}", "$${secret:a/b}", "${name\n}", "-port", "rcon_password"}) {
        agree(Type::Config, text);
    }
}

TEST_CASE(
    "the checked-in schema, reference and list of settings are what the tables generate (ninja docs writes "
    "them)") {
    CHECK(test::read_text(LEFT4ME_DOCS "/left4me.schema.json") == json_schema());
    CHECK(test::read_text(LEFT4ME_DOCS "/reference.md") == reference_markdown());
    const auto manual = test::read_text(LEFT4ME_DOCS "/man/left4me-config.5");
    REQUIRE(manual);
    CHECK(*manual == with_settings(*manual, config_table()));
}
