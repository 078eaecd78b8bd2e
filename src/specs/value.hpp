#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "specs/fields.hpp"
#include "specs/yaml.hpp"

namespace left4me {

/// A value of a document that the field table found nothing wrong with; absent ones have the table's default.
struct Value {
    const yaml::Node* node = nullptr;  ///< nullptr: absent
    const Field* field = nullptr;

    /// The field of a map; the table must have it.
    Value operator[](std::string_view name) const {
        return {node == nullptr ? nullptr : node->get(name), find_child(*field, name)};
    }
    std::string text() const { return node == nullptr ? std::string(field->default_value) : node->text; }
};

/// The choice that is written so; the first one for a text that is none of them.
template <typename Enum, std::size_t Size>
Enum one_of(const Value& value, const std::array<Enum, Size>& choices) {
    const std::string text = value.text();
    for (const Enum choice : choices) {
        if (text == to_string(choice)) return choice;
    }
    return choices.front();
}

/// The items of a list; empty if it is absent.
std::vector<Value> items(const Value& list);
/// The items of a list, or the one that stands there without a list; empty if it is absent.
std::vector<std::string> texts(const Value& list);
/// Keys and values; empty if it is absent.
std::map<std::string, std::string> text_map(const Value& map);

}  // namespace left4me
