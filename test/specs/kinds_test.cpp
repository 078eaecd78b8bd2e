#include <set>

#include "specs/fields.hpp"
#include "support/catch.hpp"

using namespace left4me;

TEST_CASE("every kind has one entry, and no two kinds share a word") {
    std::set<std::string_view> words;
    for (const KindEntry& kind : kinds()) {
        INFO(kind.name);
        CHECK(&entry_of(kind.kind) == &kind);
        CHECK(to_string(kind.kind) == std::string(kind.name));
        CHECK(find_kind(kind.object.name) == &kind);
        for (const std::string_view word : {kind.name, kind.plural, kind.short_name}) {
            CHECK(words.insert(word).second);
            CHECK(parse_kind(word) == kind.kind);
        }
        CHECK(parse_kind(kind.object.name) == kind.kind);
        for (const char* field : {"apiVersion", "kind", "metadata", "spec"})
            CHECK(find_child(kind.object, field) != nullptr);
    }
    CHECK(find_kind("server") == nullptr);
    CHECK_FALSE(parse_kind("serv"));
    CHECK_FALSE(parse_kind(""));
}
