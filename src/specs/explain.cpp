#include "specs/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/field_description.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

constexpr std::size_t text_width = 78;

/// `text` broken at blanks, each line with `indentation`.
std::string wrapped(std::string_view text, std::string_view indentation) {
    std::string result;
    std::string line(indentation);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string_view word = text.substr(at, end - at);
        if (line.size() > indentation.size() && line.size() + 1 + word.size() > text_width) {
            result += line + "\n";
            line = indentation;
        }
        if (line.size() > indentation.size()) line += ' ';
        line += word;
        at = end + 1;
    }
    return result + line + "\n";
}

std::string indented(std::string_view text, std::string_view indentation) {
    std::string result;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        result += fmt::format("{}{}\n", indentation, text.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

std::string need_of(const Field& field) {
    if (field.required) return ", required";
    return field.default_value.empty() ? "" : fmt::format(", default {}", field.default_value);
}

std::string table_of(const Field& field) {
    std::size_t width = 0;
    for (const Field& child : field.children) width = std::max(width, child.name.size());
    std::string table;
    for (const Field& child : field.children) {
        table += fmt::format("  {:<{}}  {}{}\n", child.name, width, type_description(child), need_of(child));
    }
    return table;
}

std::string page_of(const Field& field, const std::string& path) {
    std::string page = fmt::format("{} ({}{})\n\n", path, type_description(field), need_of(field));
    page += wrapped(field.documentation, "  ");
    for (const std::string& constraint : constraint_descriptions(field))
        page += "\n" + wrapped(constraint, "  ");
    if (!field.example.empty()) {
        page += "\nExample:\n" + indented(fmt::format("{}: {}", field.name, field.example), "  ");
    }
    if (has_named_children(field)) page += "\nFields:\n" + table_of(field);
    return page;
}

std::vector<std::string_view> names_of(std::span<const Field> fields) {
    std::vector<std::string_view> names;
    names.reserve(fields.size());
    for (const Field& field : fields) names.push_back(field.name);
    return names;
}

std::string hint_for(std::string_view word, std::span<const std::string_view> known) {
    const std::string hint = did_you_mean(word, known);
    return hint.empty() ? fmt::format("; there are {}", fmt::join(known, ", ")) : hint;
}

/// The words between the dots.
std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        parts.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

const Field* find_root(std::string_view word, const Field& config) {
    if (word == config.name) return &config;
    const auto kind = parse_kind(word);
    return kind ? &entry_of(*kind).object : nullptr;
}

/// nullptr if the field has no such field of its own.
const Field* step(const Field& parent, std::string_view name) {
    return has_named_children(parent) ? find_child(parent, name) : nullptr;
}

}  // namespace

const Field* find_field(std::string_view path, const Field& config) {
    const std::vector<std::string_view> parts = parts_of(path);
    const Field* field = find_root(parts.front(), config);
    for (std::size_t i = 1; field != nullptr && i < parts.size(); ++i) field = step(*field, parts[i]);
    return field;
}

std::expected<std::string, std::string> explain(std::string_view path, const Field& config) {
    const std::vector<std::string_view> parts = parts_of(path);
    const Field* field = find_root(parts.front(), config);
    if (field == nullptr) {
        std::vector<std::string_view> names;
        for (const KindEntry& kind : kinds()) names.push_back(kind.name);
        names.push_back(config.name);
        return std::unexpected(
            fmt::format("there is no kind {}{}", in_quotes(parts.front()), hint_for(parts.front(), names)));
    }
    const auto kind = parse_kind(parts.front());
    std::string walked(kind ? entry_of(*kind).name : config.name);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const Field* const child = step(*field, parts[i]);
        if (child == nullptr) {
            if (!has_named_children(*field))
                return std::unexpected(fmt::format("{} has no fields of its own", walked));
            return std::unexpected(fmt::format("{} has no field {}{}", walked, in_quotes(parts[i]),
                                               hint_for(parts[i], names_of(field->children))));
        }
        field = child;
        walked += fmt::format(".{}", child->name);
    }
    return page_of(*field, walked);
}

}  // namespace left4me
