#include "specs/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "specs/field_words.hpp"
#include "specs/words.hpp"

namespace left4me {
namespace {

constexpr std::size_t text_width = 78;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

/// `text` broken at blanks, each line behind `indentation`.
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
    for (const Field* child : supported_children(field)) width = std::max(width, child->name.size());
    std::string table;
    for (const Field* child : supported_children(field)) {
        table += fmt::format("  {:<{}}  {}{}\n", child->name, width, type_in_words(*child), need_of(*child));
    }
    return table;
}

std::string page_of(const Field& field, const std::string& path) {
    std::string page = fmt::format("{} ({}{})\n\n", path, type_in_words(field), need_of(field));
    page += wrapped(field.documentation, "  ");
    for (const std::string& constraint : constraints_in_words(field))
        page += "\n" + wrapped(constraint, "  ");
    if (!field.example.empty()) {
        page += "\nExample:\n" + indented(fmt::format("{}: {}", field.name, field.example), "  ");
    }
    if (has_named_children(field)) page += "\nFields:\n" + table_of(field);
    return page;
}

const Field* find_kind_loosely(std::string_view word) {
    std::string wanted = lower(word);
    for (const Field& kind : kinds()) {
        const std::string name = lower(kind.name);
        if (wanted == name || wanted == name + "s") return &kind;
    }
    return nullptr;
}

std::vector<std::string_view> names_of(const std::vector<const Field*>& fields) {
    std::vector<std::string_view> names;
    names.reserve(fields.size());
    for (const Field* field : fields) names.push_back(field->name);
    return names;
}

std::string hint_for(std::string_view word, std::span<const std::string_view> known) {
    const std::string hint = did_you_mean(word, known);
    return hint.empty() ? fmt::format("; there are {}", fmt::join(known, ", ")) : hint;
}

}  // namespace

std::expected<std::string, std::string> explain(std::string_view path) {
    std::size_t end = std::min(path.find('.'), path.size());
    const Field* field = find_kind_loosely(path.substr(0, end));
    if (field == nullptr) {
        std::vector<std::string> words;
        for (const Field& kind : kinds()) words.push_back(lower(kind.name));
        const std::vector<std::string_view> names(words.begin(), words.end());
        return std::unexpected(fmt::format("there is no kind {}{}", in_quotes(path.substr(0, end)),
                                           hint_for(path.substr(0, end), names)));
    }
    std::string walked = lower(field->name);
    while (end < path.size()) {
        const std::size_t begin = end + 1;
        end = std::min(path.find('.', begin), path.size());
        const std::string_view name = path.substr(begin, end - begin);
        const Field* child = has_named_children(*field) ? find_child(*field, name) : nullptr;
        if (child == nullptr) {
            if (!has_named_children(*field)) {
                return std::unexpected(fmt::format("{} has no fields of its own", walked));
            }
            const std::vector<std::string_view> names = names_of(supported_children(*field));
            return std::unexpected(
                fmt::format("{} has no field {}{}", walked, in_quotes(name), hint_for(name, names)));
        }
        field = child;
        walked += fmt::format(".{}", child->name);
    }
    return page_of(*field, walked);
}

}  // namespace left4me
