#include "specs/reference.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/field_description.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

std::string facts_of(const Field& field) {
    std::string summary = type_description(field);
    if (field.type == Type::Enum || field.type == Type::Constant) {
        summary.clear();
        for (const std::string_view value : field.values)
            summary += fmt::format("{}`{}`", summary.empty() ? "" : " · ", value);
    }
    summary += field.required ? "; required" : "; optional";
    if (!field.default_value.empty()) summary += fmt::format(", default `{}`", field.default_value);
    return summary;
}

std::string example_of(const Field& field) {
    if (field.example.empty()) return "";
    return fmt::format("```yaml\n{}: {}\n```\n\n", field.name, field.example);
}

void write_field(std::string& page, const Field& field, const std::string& path) {
    page += fmt::format("### {}\n\n{}.\n\n{}\n\n", path, facts_of(field), field.documentation);
    for (const std::string& constraint : constraint_descriptions(field)) page += constraint + "\n\n";
    page += example_of(field);
    if (!has_named_children(field)) return;
    for (const Field& child : field.children) write_field(page, child, path + "." + std::string(child.name));
}

void write_kind(std::string& page, const Field& kind) {
    page += fmt::format("## {}\n\n{}\n\n", kind.name, kind.documentation);
    for (const Field& child : kind.children) write_field(page, child, std::string(child.name));
}

/// `text` as mdoc: one line per sentence, and what is in backticks as a literal.
std::string mdoc_of(std::string_view text) {
    std::string page;
    std::string line;
    const auto end_line = [&] {
        while (line.starts_with(' ')) line.erase(0, 1);
        while (line.ends_with(' ')) line.pop_back();
        if (!line.empty()) page += line + "\n";
        line.clear();
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '`') {
            const std::size_t close = text.find('`', at + 1);
            end_line();
            line = fmt::format(".Ql \"{}\"", text.substr(at + 1, close - at - 1));
            // Punctuation after a macro is an argument of its own.
            for (at = close + 1; at < text.size() && std::string_view(".,;:)").contains(text[at]); ++at)
                line += fmt::format(" {}", text[at]);
            end_line();
            --at;
            continue;
        }
        line += text[at];
        if (text.substr(at).starts_with(". ")) end_line();
    }
    end_line();
    return page;
}

void write_settings(std::string& page, const Field& field, const std::string& path) {
    if (!path.empty()) {
        page += fmt::format(".It Li {}\n{}", path, mdoc_of(field.documentation));
        if (!has_named_children(field)) {
            page += mdoc_of(fmt::format("Takes: {}.", type_description(field)));
            for (const std::string& constraint : constraint_descriptions(field)) page += mdoc_of(constraint);
            page += field.default_value.empty() ? "Default: none.\n"
                                                : mdoc_of(fmt::format("Default: `{}`.", field.default_value));
        }
    }
    if (!has_named_children(field)) return;
    for (const Field& child : field.children)
        write_settings(page, child,
                       path.empty() ? std::string(child.name) : fmt::format("{}.{}", path, child.name));
}

}  // namespace

std::string with_settings(std::string_view page, const Field& config) {
    const std::size_t list = page.find(".Bl ");
    const std::size_t begin = std::min(page.find('\n', list), page.size() - 1) + 1;
    const std::size_t end = std::min(page.find(".El\n", begin), page.size());
    std::string result(page.substr(0, begin));
    write_settings(result, config, "");
    return result += page.substr(end);
}

std::string reference_markdown() {
    std::string page =
        "# Manifest reference\n\n"
        "<!-- Generated from src/specs/fields.cpp by tools in the build; a test compares. Do not edit. "
        "-->\n\n"
        "Every field of every kind. `l4d2ctl explain FIELD` prints the same, e.g. `l4d2ctl explain "
        "server.spec.port`;\n"
        "editors read it from [left4me.schema.json](left4me.schema.json).\n\n";
    for (const KindEntry& kind : kinds()) write_kind(page, kind.object);
    while (page.ends_with("\n\n")) page.pop_back();
    return page;
}

}  // namespace left4me
