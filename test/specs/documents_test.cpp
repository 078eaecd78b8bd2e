#include "specs/documents.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

using left4me::is_blank;
using left4me::split_documents;

namespace {

std::vector<std::string> parts(std::string_view text) {
    std::vector<std::string> result;
    for (const left4me::DocumentSpan& span : split_documents(text)) {
        result.emplace_back(text.substr(span.begin, span.end - span.begin));
    }
    return result;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("documents are split at lines that begin with three dashes, and nowhere else") {
    CHECK(parts("").empty());
    CHECK(parts("a: 1\n---\nb: 2\n") == Texts{"a: 1\n", "---\nb: 2\n"});
    CHECK(parts("---\na: 1\n--- # x\nb: 2") == Texts{"---\na: 1\n", "--- # x\nb: 2"});
    CHECK(parts("a: |\n  ---\n ---\n----\n---x\n") == Texts{"a: |\n  ---\n ---\n----\n---x\n"});
    CHECK(parts("a\r\n---\r\nb") == Texts{"a\r\n", "---\r\nb"});
    CHECK(parts("---\n---") == Texts{"---\n", "---"});
}

TEST_CASE("documents know their first line, and their body comes after the separator") {
    const std::string_view text = "\xEF\xBB\xBF# head\n\n--- # c\na: 1\n--- {b: 2}\n";
    const auto spans = split_documents(text);
    REQUIRE(spans.size() == 3);
    CHECK(spans[0].begin == 3);
    CHECK(spans[0].line == 1);
    CHECK(spans[1].line == 3);
    CHECK(text.substr(spans[1].body).starts_with("a: 1"));
    CHECK(spans[2].line == 5);
    CHECK(spans[2].body == spans[2].begin);
}

TEST_CASE("a document of white space, comments and markers is blank") {
    for (const char* text : {"", "\n \n", "# x", "---", "--- # x\n\n...\n"}) CHECK(is_blank(text));
    for (const char* text : {"a", "--- a", "null", "~", "---\n...\nx"}) CHECK_FALSE(is_blank(text));
}
