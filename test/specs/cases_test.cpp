#include "cases.hpp"

#include <algorithm>
#include <set>

#include "support/catch.hpp"

using namespace left4me;

namespace {

const std::string invalid = LEFT4ME_TEST_CASES "/invalid";

}  // namespace

TEST_CASE("every rule has a case under test/cases/invalid") {
    // The first two would need a file of a megabyte or ten thousand documents, the others a host's
    // configuration: load_test.cpp covers them with other limits.
    std::set<Rule> covered{Rule::FileTooLarge, Rule::TooManyDocuments, Rule::DirectoryOutsideRoots,
                           Rule::SecretReserved};
    for (const test::Case& set : test::list_cases(invalid)) {
        const auto loaded = load(test::read_case(set));
        INFO(set.name);
        REQUIRE_FALSE(loaded);
        for (const Diagnostic& diagnostic : loaded.error()) {
            CHECK(diagnostic.rule != Rule::Other);
            covered.insert(diagnostic.rule);
        }
    }
    for (int rule = 1; rule < static_cast<int>(Rule::Count); ++rule) {
        INFO("rule number " << rule << " of rule.hpp, counted from Other = 0");
        CHECK(covered.contains(static_cast<Rule>(rule)));
    }
}

TEST_CASE("the corpus of invalid sets is large, and every golden file belongs to a set") {
    const std::vector<test::Case> cases = test::list_cases(invalid);
    CHECK(cases.size() >= 70);
    std::set<std::string> names;
    for (const test::Case& set : cases) names.insert(set.name);
    CHECK(names.size() == cases.size());
    for (const auto& entry : std::filesystem::directory_iterator(invalid)) {
        if (entry.path().extension() == ".expected") CHECK(names.contains(entry.path().stem().string()));
    }
}

TEST_CASE("the examples under manifests/ are valid") {
    std::size_t sets = 0;
    for (const auto& entry : std::filesystem::directory_iterator(LEFT4ME_MANIFESTS)) {
        if (!entry.is_directory()) continue;
        const auto set = load(test::read_case({entry.path().filename().string(), entry.path(), {}}));
        if (!set) FAIL(to_string(set.error()));
        CHECK_FALSE(set->servers.empty());
        ++sets;
    }
    CHECK(sets >= 3);
}

TEST_CASE("every manifest in the documentation is valid on its own page") {
    for (const char* page : {"server.md", "blueprint.md", "overlay.md", "overlay-script.md"}) {
        const std::string text = test::read_text(std::string(LEFT4ME_DOCS "/") + page).value_or("");
        const std::size_t begin = text.find("```yaml\n");
        REQUIRE(begin != std::string::npos);
        const std::string manifest = text.substr(begin + 8, text.find("```", begin + 8) - begin - 8);
        const auto set = load(std::vector<SourceFile>{{page, manifest}});
        // On its own, a page's example may lack only objects that it refers to.
        if (set) continue;
        for (const Diagnostic& diagnostic : set.error()) {
            INFO(to_string(diagnostic));
            CHECK(diagnostic.rule == Rule::ReferenceDangling);
        }
    }
}

TEST_CASE("an invalid set says the same whatever the order of its files") {
    for (const test::Case& set : test::list_cases(invalid)) {
        std::vector<SourceFile> files = test::read_case(set);
        const auto forwards = load(files);
        std::reverse(files.begin(), files.end());
        const auto backwards = load(files);
        INFO(set.name);
        REQUIRE_FALSE(forwards);
        REQUIRE_FALSE(backwards);
        CHECK(to_string(forwards.error()) == to_string(backwards.error()));
    }
}
