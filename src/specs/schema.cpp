#include "specs/schema.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/field_description.hpp"
#include "specs/grammars/grammar.hpp"
#include "specs/patterns.hpp"

namespace left4me {
namespace {

/// Writes JSON, one member per line.
class Json {
  public:
    void open(std::string_view key, char bracket = '{') {
        begin(key);
        text_ += bracket;
        closing_ += bracket == '{' ? '}' : ']';
        first_ = true;
    }
    void close() {
        const char bracket = closing_.back();
        closing_.pop_back();
        if (!first_) new_line();
        first_ = false;
        text_ += bracket;
    }
    /// `json` is a finished value.
    void put(std::string_view key, std::string_view json) {
        begin(key);
        text_ += json;
    }
    void put_text(std::string_view key, std::string_view text) { put(key, json_quoted(text)); }
    std::string take() { return std::move(text_) + "\n"; }

  private:
    void new_line() {
        text_ += '\n';
        text_.append(2 * closing_.size(), ' ');
    }
    void begin(std::string_view key) {
        if (!first_) text_ += ',';
        if (!closing_.empty()) new_line();
        first_ = false;
        if (!key.empty()) text_ += json_quoted(key) + ": ";
    }

    std::string text_;
    std::string closing_;
    bool first_ = true;
};

template <typename Texts>
std::string list_of(const Texts& texts) {
    std::string list;
    for (const auto& text : texts) list += (list.empty() ? "" : ", ") + json_quoted(text);
    return "[" + list + "]";
}

/// The items of a list as written in the table, "[a, b]"; none of them needs quotes there.
std::vector<std::string_view> split_list(std::string_view yaml) {
    std::vector<std::string_view> items;
    yaml = yaml.substr(1, yaml.size() - 2);
    while (!yaml.empty()) {
        const std::size_t end = std::min(yaml.find(", "), yaml.size());
        items.push_back(yaml.substr(0, end));
        yaml.remove_prefix(std::min(end + 2, yaml.size()));
    }
    return items;
}

void write_value(Json& json, const Field& field);

void write_field(Json& json, std::string_view key, const Field& field) {
    json.open(key);
    write_value(json, field);
    json.close();
}

/// A field that is meaningful only with a certain value of another.
void write_dependencies(Json& json, const Field& field) {
    std::string schemas;
    for (const Field& child : field.children) {
        if (child.only_with.field.empty()) continue;
        const std::string other = json_quoted(child.only_with.field);
        const std::string value = child.only_with.value.empty()
                                      ? ""
                                      : fmt::format(R"(, "properties": {{{}: {{"const": {}}}}})", other,
                                                    json_quoted(child.only_with.value));
        schemas += fmt::format(R"({}{}: {{"required": [{}]{}}})", schemas.empty() ? "" : ", ",
                               json_quoted(child.name), other, value);
    }
    if (!schemas.empty()) json.put("dependentSchemas", "{" + schemas + "}");
}

void write_map(Json& json, const Field& field) {
    json.put_text("type", "object");
    json.put("additionalProperties", "false");
    std::vector<std::string_view> required;
    for (const Field& child : field.children) {
        if (child.required) required.push_back(child.name);
    }
    if (!required.empty()) json.put("required", list_of(required));
    if (field.type == Type::Choice) {
        if (field.required) json.put("minProperties", "1");
        json.put("maxProperties", "1");
    }
    json.open("properties");
    for (const Field& child : field.children) write_field(json, child.name, child);
    json.close();
    write_dependencies(json, field);
}

void write_text(Json& json, const Field& field) {
    // The loader treats an unquoted number as text, so editors must not complain about one.
    const bool strict = field.type == Type::Duration || field.type == Type::Deadline ||
                        field.type == Type::Directory || field.type == Type::FilePath ||
                        field.type == Type::ArchiveUrl || field.type == Type::GitUrl ||
                        field.type == Type::TreePath || field.type == Type::HttpsUrl;
    json.put("type", strict ? R"("string")" : R"(["string", "number", "boolean"])");
    if (const std::string pattern = pattern_of(field); !pattern.empty()) json.put_text("pattern", pattern);
    json.put("not", fmt::format(R"({{"type": "string", "pattern": {}}})",
                                json_quoted(control_characters_of(field.type))));
    if (field.type == Type::Name || field.type == Type::Argument || field.type == Type::Line)
        json.put("minLength", "1");
    // Of a value with a grammar, the maximum is not a length.
    if (field.maximum > 0 && grammar_of(field.type) == nullptr)
        json.put("maxLength", std::to_string(field.maximum));
}

void write_items(Json& json, const Field& field) {
    json.put_text("type", "array");
    if (field.minimum > 0) json.put("minItems", std::to_string(field.minimum));
    json.put("maxItems", std::to_string(field.maximum));
    if (field.unique) json.put("uniqueItems", "true");
    write_field(json, "items", field.children[0]);
}

void write_list(Json& json, const Field& field) {
    if (!field.or_one) return write_items(json, field);
    json.open("anyOf", '[');
    write_field(json, "", field.children[0]);
    json.open("");
    write_items(json, field);
    json.close();
    json.close();
}

/// Of a number, whatever else the field takes.
void write_range(Json& json, const Field& field) {
    json.put("minimum", std::to_string(field.minimum));
    json.put("maximum", std::to_string(field.maximum));
}

void write_value(Json& json, const Field& field) {
    json.put_text("description", field.documentation);
    if (!field.default_value.empty() && field.type == Type::List) {
        json.put("default", list_of(split_list(field.default_value)));
    } else if (!field.default_value.empty()) {
        json.put_text("default", field.default_value);
    }
    switch (field.type) {
        case Type::Map:
        case Type::Choice:
            return write_map(json, field);
        case Type::TextMap:
            json.put_text("type", "object");
            json.put("maxProperties", std::to_string(field.maximum));
            write_field(json, "propertyNames", field.children[0]);
            return write_field(json, "additionalProperties", field.children[1]);
        case Type::List:
            return write_list(json, field);
        case Type::Constant:
            return json.put_text("const", field.values.front());
        case Type::Enum:
            return json.put("enum", list_of(field.values));
        case Type::Switch:
            return json.put_text("type", "boolean");
        case Type::Port:
        case Type::Integer:
        case Type::Signed:
            json.put_text("type", "integer");
            return write_range(json, field);
        case Type::Dscp:
            json.put("type", R"(["string", "integer"])");
            json.put_text("pattern", pattern_of(field));
            return write_range(json, field);
        default:
            return write_text(json, field);
    }
}

}  // namespace

std::string json_schema() {
    Json json;
    json.open("");
    json.put_text("$schema", "https://json-schema.org/draft/2020-12/schema");
    json.put_text("title", "left4me manifest");
    json.put_text("description", "One document of a manifest file.");
    json.put_text("type", "object");
    json.put("required", R"(["apiVersion", "kind"])");
    std::vector<std::string_view> names;
    for (const KindEntry& kind : kinds()) names.push_back(kind.object.name);
    json.put("properties", fmt::format(R"({{"kind": {{"enum": {}}}}})", list_of(names)));
    // One condition per kind instead of oneOf: then an editor says what is wrong with a Server, and not that
    // it is no Overlay.
    json.open("allOf", '[');
    for (const std::string_view name : names) {
        json.open("");
        json.put("if", fmt::format(R"({{"required": ["kind"], "properties": {{"kind": {{"const": {}}}}}}})",
                                   json_quoted(name)));
        json.put("then", fmt::format(R"({{"$ref": "#/$defs/{}"}})", name));
        json.close();
    }
    json.close();
    json.open("$defs");
    for (const KindEntry& kind : kinds()) write_field(json, kind.object.name, kind.object);
    json.close();
    json.close();
    return json.take();
}

}  // namespace left4me
