#include "specs/reference.hpp"

#include <fmt/format.h>

#include "specs/field_words.hpp"
#include "specs/words.hpp"

namespace left4me {
namespace {

std::string facts_of(const Field& field) {
    std::string facts = type_in_words(field);
    if (field.type == Type::Enum || field.type == Type::Constant) {
        facts.clear();
        for (const std::string_view value : field.values)
            facts += fmt::format("{}`{}`", facts.empty() ? "" : " · ", value);
    }
    facts += field.required ? "; required" : "; optional";
    if (!field.default_value.empty()) facts += fmt::format(", default `{}`", field.default_value);
    return facts;
}

std::string example_of(const Field& field) {
    if (field.example.empty()) return "";
    return fmt::format("```yaml\n{}: {}\n```\n\n", field.name, field.example);
}

void write_field(std::string& page, const Field& field, const std::string& path) {
    page += fmt::format("### {}\n\n{}.\n\n{}\n\n", path, facts_of(field), field.documentation);
    for (const std::string& constraint : constraints_in_words(field)) page += constraint + "\n\n";
    page += example_of(field);
    if (!has_named_children(field)) return;
    for (const Field* child : supported_children(field))
        write_field(page, *child, path + "." + std::string(child->name));
}

void write_kind(std::string& page, const Field& kind) {
    page += fmt::format("## {}\n\n{}\n\n", kind.name, kind.documentation);
    for (const Field* child : supported_children(kind)) write_field(page, *child, std::string(child->name));
}

}  // namespace

std::string reference_markdown() {
    std::string page =
        "# Manifest reference\n\n"
        "<!-- Generated from src/specs/fields.cpp by tools in the build; a test compares. Do not edit. "
        "-->\n\n"
        "Every field of every kind. `l4d2ctl explain FIELD` prints the same, e.g. `l4d2ctl explain "
        "server.spec.port`;\n"
        "editors read it from [left4me.schema.json](left4me.schema.json).\n\n";
    for (const Field& kind : kinds()) write_kind(page, kind);
    while (page.ends_with("\n\n")) page.pop_back();
    return page;
}

}  // namespace left4me
