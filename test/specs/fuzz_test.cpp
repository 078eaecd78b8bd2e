#include <rapidcheck.h>

#include <chrono>
#include <cstdlib>
#include <set>
#include <string>

#include "cases.hpp"
#include "specs/documents.hpp"
#include "specs/edit.hpp"
#include "specs/name.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

/// Every run has the same cases; RC_PARAMS in the environment selects others (and more of them).
const int fixed_seed = setenv("RC_PARAMS", "seed=20 max_success=1000", 0);

const std::vector<std::string>& valid_texts() {
    static const std::vector<std::string> texts = [] {
        std::vector<std::string> result;
        for (const test::Case& set : test::list_cases(LEFT4ME_TEST_CASES "/valid")) {
            for (const SourceFile& file : test::read_case(set)) {
                if (!file.text.empty()) result.push_back(file.text);
            }
        }
        return result;
    }();
    return texts;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
        lines.push_back(text.substr(at, end + 1 - at));
        at = end + 1;
    }
    return lines;
}

std::string join(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
}

std::size_t below(std::size_t limit) {
    return *rc::gen::inRange<std::size_t>(0, std::max<std::size_t>(limit, 1));
}

/// Mutates a text once, like people and broken programs do.
std::string mutated(std::string text) {
    static const std::vector<std::string> tokens{
        "---\n", "...\n",        ": ",   "- ",       "[",   "]", "{",  "}",  "\"",   "'",    "|\n",
        ">\n",   "&a ",          "*a",   "<<: ",     "!x ", "#", "\t", "\n", "\r\n", "? ",   "${",
        "${x}",  "\\",           "\xff", "\x01",     "%",   "@", "`",  ",",  "~",    "null", "  ",
        "\xc3",  "\xe2\x82\xac", "..",   "rollout:", "port"};
    std::vector<std::string> lines = lines_of(text);
    if (lines.empty()) return text;
    const std::size_t line = below(lines.size());
    const std::size_t at = below(text.size());
    switch (below(7)) {
        case 0:
            return text.insert(at, tokens[below(tokens.size())]);
        case 1:
            return text.erase(at, 1 + below(5));
        case 2:
            text[at] = static_cast<char>(below(256));
            return text;
        case 3:
            lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line));
            return join(lines);
        case 4:
            lines.push_back(lines[line]);
            return join(lines);
        case 5:
            std::swap(lines[line], lines[below(lines.size())]);
            return join(lines);
        default:
            lines[line].insert(0, " ");
            return join(lines);
    }
}

void check_whole(const ManifestSet& set) {
    std::set<std::uint16_t> ports;
    for (const auto& [name, server] : set.servers) {
        RC_ASSERT(is_valid_name(name));
        RC_ASSERT(set.blueprints.contains(server.blueprint));
        RC_ASSERT(server.port >= 1024);
        RC_ASSERT(ports.insert(server.port).second);
    }
    for (const auto& [name, blueprint] : set.blueprints) {
        RC_ASSERT(is_valid_name(name));
        for (const std::string& overlay : blueprint.overlays) RC_ASSERT(set.overlays.contains(overlay));
    }
    for (const auto& [name, overlay] : set.overlays) RC_ASSERT(is_valid_name(name));
}

/// A Server in one of the styles in which people write one.
std::string random_server(const std::string& name, std::size_t port, const std::string& newline) {
    const bool flow = *rc::gen::arbitrary<bool>();
    const bool state = *rc::gen::arbitrary<bool>();
    const std::string comment = *rc::gen::element<std::string>("", " # as agreed", "   #x: {");
    const std::string quote = *rc::gen::element<std::string>("", "'", "\"");
    const std::string value = quote + *rc::gen::element<std::string>("Running", "Stopped") + quote;
    const std::string number = std::to_string(port);
    std::string text = "apiVersion: left4me/v1" + newline + "kind: Server" + newline +
                       "metadata: {name: " + name + "} # ünï" + newline;
    if (flow) {
        text += "spec: {blueprint: b" + std::string(state ? ", state: " + value : "") + ", port: " + number +
                "}" + comment + newline;
        return text;
    }
    const std::string indentation(1 + below(6), ' ');
    std::vector<std::string> fields{"blueprint: b", "port: " + number, "rollout: {policy: WhenEmpty}"};
    if (state) fields.push_back("state: " + value);
    text += "spec:" + newline;
    for (std::size_t i = fields.size(); i > 0; --i) {
        std::swap(fields[i - 1], fields[below(i)]);
        text += indentation + fields[i - 1] + comment + newline;
    }
    return text;
}

constexpr const char* blueprint = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: b}\nspec: {}\n";

}  // namespace

TEST_CASE("mutated manifests never crash the parser and never give a partial set") {
    REQUIRE(fixed_seed == 0);
    CHECK(rc::check("mutations", [] {
        std::string text = valid_texts()[below(valid_texts().size())];
        for (std::size_t i = 1 + below(4); i > 0; --i) text = mutated(std::move(text));
        const std::vector<SourceFile> files{{"a.yaml", text}};
        const auto set = load(files);
        if (set) return check_whole(*set);
        RC_ASSERT(!set.error().empty());
        const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
        for (const Diagnostic& diagnostic : set.error()) {
            RC_ASSERT(diagnostic.rule != Rule::Other);
            RC_ASSERT(diagnostic.where.line >= 1);
            RC_ASSERT(diagnostic.where.line <= lines + 2);
            RC_ASSERT(diagnostic.where.column >= 1);
            RC_ASSERT(diagnostic.message.find('\n') == std::string::npos);
        }
    }));
}

TEST_CASE("the documents of any text are adjacent, without gaps") {
    CHECK(rc::check("spans", [] {
        std::string text = valid_texts()[below(valid_texts().size())];
        for (std::size_t i = below(6); i > 0; --i) text = mutated(std::move(text));
        std::size_t end = byte_order_mark(text);
        for (const DocumentSpan& span : split_documents(text)) {
            RC_ASSERT(span.begin == end);
            RC_ASSERT(span.begin <= span.body);
            RC_ASSERT(span.body <= span.end);
            RC_ASSERT(span.line == 1 + std::count(text.begin(),
                                                  text.begin() + static_cast<std::ptrdiff_t>(span.begin),
                                                  '\n'));
            end = span.end;
        }
        RC_ASSERT(end == text.size());
        RC_ASSERT(list_documents(text).size() == split_documents(text).size());
    }));
}

TEST_CASE("setting a state leaves other documents unchanged byte for byte, and the next load reads it") {
    CHECK(rc::check("set_state", [] {
        const std::string newline = *rc::gen::element<std::string>("\n", "\r\n");
        std::string text = blueprint;
        const std::size_t servers = 1 + below(4);
        for (std::size_t i = 0; i < servers; ++i) {
            text += "--- # number " + std::to_string(i) + newline;
            text += random_server("s" + std::to_string(i), 27015 + i, newline);
        }
        if (*rc::gen::arbitrary<bool>()) text.resize(text.find_last_not_of("\r\n") + 1);
        const std::size_t chosen = below(servers);
        const RunState state = *rc::gen::element(RunState::Running, RunState::Stopped);
        const auto edited = set_state(text, chosen + 1, state);
        if (!edited) RC_FAIL(edited.error() + ":\n" + text);

        const auto before = split_documents(text);
        const auto after = split_documents(*edited);
        RC_ASSERT(before.size() == after.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            if (i == chosen + 1) continue;
            RC_ASSERT(text.substr(before[i].begin, before[i].end - before[i].begin) ==
                      edited->substr(after[i].begin, after[i].end - after[i].begin));
        }
        const std::vector<SourceFile> files{{"a.yaml", *edited}};
        const auto set = load(files);
        if (!set) RC_FAIL(to_string(set.error()) + *edited);
        RC_ASSERT(set->servers.at("s" + std::to_string(chosen)).state == state);
        RC_ASSERT(set_state(*edited, chosen + 1, state).value() == *edited);
    }));
}

TEST_CASE("edits of mutated texts never crash and never touch another document") {
    CHECK(rc::check("edits", [] {
        std::string text = valid_texts()[below(valid_texts().size())];
        for (std::size_t i = below(4); i > 0; --i) text = mutated(std::move(text));
        const auto spans = split_documents(text);
        if (spans.empty()) return;
        const std::size_t chosen = below(spans.size());
        const std::string head = text.substr(0, spans[chosen].begin);
        const std::string tail = text.substr(spans[chosen].end);
        const auto keeps_others = [&](const std::string& edited) {
            RC_ASSERT(edited.starts_with(head));
            RC_ASSERT(edited.ends_with(tail));
        };
        if (const auto edited = set_state(text, chosen, RunState::Stopped)) keeps_others(*edited);
        keeps_others(remove_document(text, chosen));
        const std::string replaced = replace_document(text, chosen, "kind: New\n");
        keeps_others(replaced);
        RC_ASSERT(split_documents(replaced).size() == spans.size());
        RC_ASSERT(append_document(text, "kind: New\n").starts_with(text));
    }));
}

namespace {

/// A quarter of the largest file: enough to distinguish linear from quadratic time, without being slow.
constexpr std::size_t size = 1U << 18U;

/// As many of piece(0), piece(1), … as fit into a text of that size, after `head`.
template <typename Piece>
std::string filled(std::string head, const Piece& piece) {
    for (std::size_t i = 0;; ++i) {
        const std::string next = piece(i);
        if (head.size() + next.size() > size) return head;
        head += next;
    }
}

void check_quick(const std::string& what, const std::string& text) {
    INFO(what);
    const std::vector<SourceFile> files{{"a.yaml", text}};
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(load(files));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    // Each takes well below a second; anything superlinear would take far longer.
    CHECK(took.count() < 20.0);
}

}  // namespace

TEST_CASE("a long hostile file is rejected quickly") {
    for (const std::string piece : {"[",   "{",        "- ",  "a: ",  "? ",    "\"",     "&a ",   "!",
                                    "|\n", "a: [",     "- [", ": ",   "*a ",   "a: 1\n", "- a\n", "${",
                                    "'",   "---\n-\n", "a,",  "\n x", "{a: [", "x: |\n", "]",     "a\n"}) {
        check_quick(piece, filled("", [&](std::size_t) { return piece; }));
    }
}

TEST_CASE("checks do not grow faster than the revision") {
    const std::string head = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: b}\nspec:\n";
    const auto number = [](std::size_t i) { return std::to_string(i); };
    check_quick("keys", filled("", [&](std::size_t i) { return "k" + number(i) + ": 1\n"; }));
    check_quick("fields", filled(head, [&](std::size_t i) { return "  ovrlays" + number(i) + ": 1\n"; }));
    check_quick("overlays",
                filled(head + "  overlays:\n", [&](std::size_t i) { return "  - o" + number(i) + "\n"; }));
    check_quick("placeholders", filled(head + "  config: |\n", [](std::size_t) { return "    ${x}\n"; }));
    check_quick("placeholders in many documents", filled("", [&](std::size_t) {
                    std::string text = "---\n" + head + "  config: |\n";
                    while (text.size() < 60000) text += "    ${x}\n";
                    return text;
                }));
    check_quick("files",
                filled("apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: o}\nspec:\n  source:\n"
                       "    inline:\n      files:\n",
                       [&](std::size_t i) { return "        a/" + number(i) + ": x\n"; }));
    check_quick("dangling references beside an unreadable document", filled("kind: [\n", [&](std::size_t i) {
                    return "--- {apiVersion: left4me/v1, kind: Blueprint, metadata: {name: b" + number(i) +
                           "}, spec: {overlays: [x, y, z, v, w, t, s, r, q, p, o, n, m, l, k, j, i, h, g, f, "
                           "e, d]}}\n";
                }));
}
