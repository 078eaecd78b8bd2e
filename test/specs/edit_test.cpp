#include "specs/edit.hpp"

#include "support/catch.hpp"

using namespace left4me;

namespace {

const std::string three =
    "# our servers\n"
    "\n"
    "# the first\n"
    "kind: Overlay # yes\n"
    "metadata: {name: a}\n"
    "--- # second\n"
    "kind: Blueprint\n"
    "metadata:\n"
    "  name: b\n"
    "---\n"
    "kind: Server\n"
    "metadata: {name: c}\n"
    "spec:\n"
    "  # never 27016\n"
    "  port: 27015   # the old one\n"
    "  blueprint: b\n";

std::string stopped(const std::string& text, std::size_t document = 0) {
    const auto edited = set_state(text, document, RunState::Stopped);
    if (!edited) FAIL(edited.error());
    return *edited;
}

}  // namespace

TEST_CASE("documents are listed by kind and name") {
    CHECK(list_documents(three) ==
          std::vector<ListedDocument>{{"Overlay", "a"}, {"Blueprint", "b"}, {"Server", "c"}});
    CHECK(list_documents("# nothing\n---\nkind: [\n---\nkind: Server\n---\n- a\n") ==
          std::vector<ListedDocument>{{}, {}, {}, {}});
    CHECK(list_documents("").empty());
}

TEST_CASE("a missing state is added after the port, in the style of the spec") {
    CHECK(stopped(three, 2) ==
          three.substr(0, three.find("  blueprint: b")) + "  state: Stopped\n  blueprint: b\n");
    CHECK(stopped("spec: {port: 1, blueprint: x} # c\n") ==
          "spec: {port: 1, state: Stopped, blueprint: x} # c\n");
    CHECK(stopped("spec: {blueprint: x, port: 1}") == "spec: {blueprint: x, port: 1, state: Stopped}");
    CHECK(stopped("{\"spec\": {\"port\": 1}}") == "{\"spec\": {\"port\": 1, \"state\": \"Stopped\"}}");
    CHECK(stopped("spec:\n    port: 1") == "spec:\n    port: 1\n    state: Stopped");
    CHECK(stopped("spec:\r\n  port: 1\r\n  blueprint: x\r\n") ==
          "spec:\r\n  port: 1\r\n  state: Stopped\r\n  blueprint: x\r\n");
}

TEST_CASE("an existing state is replaced, however it is quoted, and its comment stays") {
    CHECK(stopped("spec:\n  state: Running   # always\n") == "spec:\n  state: Stopped   # always\n");
    CHECK(stopped("spec: {state: 'Running', port: 1}") == "spec: {state: Stopped, port: 1}");
    CHECK(stopped("spec: {state: \"Running\"}") == "spec: {state: Stopped}");
    CHECK(stopped("spec: {state: &s Running}") == "spec: {state: &s Stopped}");
    CHECK(stopped("spec:\n  state:\n    Running\n") == "spec:\n  state:\n    Stopped\n");
    CHECK(stopped("spec: {state: Stopped}") == "spec: {state: Stopped}");
    CHECK(set_state("\xEF\xBB\xBFspec: {state: Stopped}", 0, RunState::Running) ==
          std::string("\xEF\xBB\xBFspec: {state: Running}"));
}

TEST_CASE("an edit handles non-ASCII text before the value") {
    CHECK(stopped("metadata: {labels: {ü: ä€𝄞}}\nspec: {port: 1}\n") ==
          "metadata: {labels: {ü: ä€𝄞}}\nspec: {port: 1, state: Stopped}\n");
}

TEST_CASE("a text that cannot be edited safely is refused with a remedy") {
    for (const char* text :
         {"kind: Server\n", "spec: {blueprint: x}", "spec: {state: [Running]}",
          "spec: {state: ", "spec:\n  state: |-\n    Running\n", "- spec", "a: &x {port: 1}\nspec: *x\n"}) {
        INFO(text);
        const auto edited = set_state(text, 0, RunState::Stopped);
        REQUIRE_FALSE(edited);
        CHECK(edited.error() ==
              "the manifest is written in a way that cannot be edited safely; write `state: Stopped` into "
              "its spec by "
              "hand");
    }
    CHECK_FALSE(set_state("", 0, RunState::Stopped));
}

TEST_CASE("replacing a document leaves the others and the separator unchanged") {
    const std::size_t second = three.find("kind: Blueprint");
    const std::size_t third = three.find("---\nkind: Server");
    CHECK(replace_document(three, 1, "kind: X") ==
          three.substr(0, second) + "kind: X\n" + three.substr(third));
    CHECK(replace_document(three, 1, "---\nkind: X\n") == replace_document(three, 1, "kind: X"));
    CHECK(replace_document("a: 1", 0, "b: 2\n") == "b: 2\n");
    CHECK(replace_document("--- {a: 1}\n--- {b: 2}\n", 0, "c: 3") == "---\nc: 3\n--- {b: 2}\n");
}

TEST_CASE("removing a document leaves the others and the file's heading unchanged") {
    CHECK(remove_document(three, 1) ==
          three.substr(0, three.find("--- # second")) + three.substr(three.find("---\nkind: Server")));
    CHECK(remove_document(three, 2) == three.substr(0, three.find("---\nkind: Server")));
    CHECK(remove_document(three, 0) == "# our servers\n\n" + three.substr(three.find("--- # second")));
    CHECK(remove_document("a: 1\n", 0).empty());
}

TEST_CASE("a document is appended after a separator if one is needed") {
    CHECK(append_document("a: 1\n", "b: 2") == "a: 1\n---\nb: 2\n");
    CHECK(append_document("a: 1", "---\nb: 2\n") == "a: 1\n---\nb: 2\n");
    CHECK(append_document("", "b: 2\n") == "b: 2\n");
    CHECK(append_document("# head\n", "b: 2\n") == "# head\nb: 2\n");
    CHECK(append_document("a: 1\r\n", "b: 2\r\n") == "a: 1\r\n---\r\nb: 2\r\n");
}

TEST_CASE("a document's text does not include its separator") {
    CHECK(document_text(three, 1) == "kind: Blueprint\nmetadata:\n  name: b\n");
    CHECK(document_text("--- {a: 1}\n", 0) == "--- {a: 1}\n");
}
