#include "specs/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "specs/grammars/integer.hpp"
#include "specs/manifest.hpp"
#include "specs/name.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

using yaml::Entry;
using yaml::Mark;
using yaml::Node;

std::vector<std::string_view> names_of(std::span<const Field> fields) {
    std::vector<std::string_view> names;
    for (const Field& field : fields) names.push_back(field.name);
    return names;
}

/// The path of a field called `name` anywhere in the tree; "" if there is none.
std::string find_elsewhere(std::span<const Field> fields, std::string_view name, const std::string& prefix) {
    for (const Field& field : fields) {
        std::string path =
            prefix.empty() ? std::string(field.name) : fmt::format("{}.{}", prefix, field.name);
        if (field.name == name) return path;
        if (field.type != Type::Map && field.type != Type::Choice) continue;
        if (std::string found = find_elsewhere(field.children, name, path); !found.empty()) return found;
    }
    return "";
}

std::string_view word_for(const Node& node) {
    switch (node.kind) {
        case Node::Kind::Null:
            return "nothing";
        case Node::Kind::Scalar:
            return "text";
        case Node::Kind::Sequence:
            return "a list";
        case Node::Kind::Map:
            return "a map";
    }
    return "";
}

std::string_view word_for(Type type) {
    switch (type) {
        case Type::Map:
        case Type::Choice:
        case Type::TextMap:
            return "a map";
        case Type::List:
            return "a list";
        case Type::Port:
        case Type::Integer:
        case Type::Signed:
            return "a number";
        case Type::Switch:
            return "true or false";
        default:
            return "text";
    }
}

/// "; write e.g. `port: 27015`", from the table's example.
std::string example_of(const Field& field) {
    if (field.example.empty() && field.type == Type::Map) {
        return fmt::format("; it has the fields {}", fmt::join(names_of(field.children), ", "));
    }
    if (field.type == Type::Text && field.example.empty()) return "; write \"\" for an empty file";
    if (field.name == "item") return "; remove the item, or put the text in quotes if you mean the word";
    if (field.example.empty()) return "";
    if (field.example.contains('\n')) {
        return fmt::format("; write e.g. `{}: |` and the text indented below it", field.name);
    }
    return fmt::format("; write e.g. `{}: {}`", field.name, field.example);
}

/// Walks one document and the field table in parallel.
class Validator {
  public:
    /// `table`: of the whole document; nullptr if its kind is not known.
    Validator(const Field* table, Reporter& reporter) : table_(table), reporter_(reporter) {}

    ObjectSummary take() { return std::move(summary_); }

    void fields(const Node& map, const Field& field, const std::string& path) {
        std::set<std::string_view> misspelt;
        for (const Entry& entry : map.entries) {
            const Field* child = find_child(field, entry.key);
            if (child == nullptr) {
                misspelt.insert(unknown_field(entry, field, path));
            } else if (child->type != Type::Constant) {
                value(*entry.value, *child, join(path, child->name), entry.mark);
                check_company(map, field, *child, entry.mark, path);
            }
        }
        // Fields that a merge key would have provided are not reported as missing.
        if (map.find("<<") != nullptr) return;
        for (const Field& child : field.children) {
            if (!child.required || child.type == Type::Constant || map.find(child.name) != nullptr) continue;
            if (misspelt.contains(child.name)) continue;  // its typo has been reported
            reporter_.add(Rule::FieldMissing, map.mark,
                          fmt::format("{} is missing{}", join(path, child.name), example_of(child)));
        }
    }

    /// `key` is the position of the value's own field, because an absent value has no position.
    void value(const Node& node, const Field& field, const std::string& path, const Mark& key) {
        if (node.kind == Node::Kind::Null) {
            if (field.may_be_empty) return;
            const std::string_view remedy =
                field.required || field.example.empty() ? "" : ", or remove the line";
            return reporter_.add(Rule::NullValue, key,
                                 fmt::format("{} has no value{}{}", path, example_of(field), remedy));
        }
        switch (field.type) {
            case Type::Map:
                return map(node, field, path);
            case Type::Choice:
                return choice(node, field, path);
            case Type::TextMap:
                return text_map(node, field, path);
            case Type::List:
                return list(node, field, path);
            case Type::Port:
                return port(node, field, path);
            default:
                return text(node, field, path);
        }
    }

  private:
    static std::string join(const std::string& path, std::string_view name) {
        return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
    }

    /// A field without the sibling that gives it a meaning.
    void check_company(const Node& map, const Field& parent, const Field& child, const Mark& key,
                       const std::string& path) {
        const auto& [name, wanted] = child.only_with;
        if (name.empty()) return;
        const Node* other = map.get(name);
        if (other != nullptr) {
            if (wanted.empty() || other->text == wanted) return;
            // An unknown value has a message of its own.
            const auto values = find_child(parent, name)->values;
            if (std::find(values.begin(), values.end(), other->text) == values.end()) return;
        }
        const std::string needed = wanted.empty() ? join(path, name) : fmt::format("`{}: {}`", name, wanted);
        reporter_.add(Rule::DeadlineWithoutWhenEmpty, key,
                      fmt::format("{} has no meaning without {}; add that or remove the {}",
                                  join(path, child.name), needed, child.name));
    }

    bool is_a(Node::Kind wanted, const Node& node, const Field& field, const std::string& path) {
        if (node.kind == wanted) return true;
        reporter_.add(Rule::TypeMismatch, node.mark,
                      fmt::format("{} must be {}, not {}{}", path, word_for(field.type), word_for(node),
                                  example_of(field)));
        return false;
    }

    /// Returns the field that was probably meant, or "".
    std::string_view unknown_field(const Entry& entry, const Field& parent, const std::string& path) {
        const std::string where = path.empty() ? "" : path + ": ";
        const std::vector<std::string_view> siblings = names_of(parent.children);
        const std::string_view meant = closest(entry.key, siblings);
        if (entry.key == "<<") {
            reporter_.add(
                Rule::MergeKey, entry.mark,
                fmt::format("{}merge keys ('<<') are not supported; write the fields out, or put what "
                            "servers share into a Blueprint",
                            where));
            return "";
        }
        const std::string_view first_word = std::string_view(entry.key).substr(0, entry.key.find(' '));
        if (first_word.size() < entry.key.size() && find_child(parent, first_word) != nullptr) {
            reporter_.add(Rule::FieldUnknown, entry.mark,
                          fmt::format("{}unknown field {}; write a ':' after '{}'", where,
                                      in_quotes(entry.key), first_word));
            return find_child(parent, first_word)->name;
        }
        std::string hint = did_you_mean(entry.key, siblings);
        if (hint.empty() && table_ != nullptr) {
            const std::string home = find_elsewhere(table_->children, entry.key, "");
            if (!home.empty()) hint = fmt::format("; it belongs here: {}", home);
        }
        if (hint.empty()) hint = fmt::format("; known here: {}", fmt::join(siblings, ", "));
        reporter_.add(Rule::FieldUnknown, entry.mark,
                      fmt::format("{}unknown field {}{}", where, in_quotes(entry.key), hint));
        return meant;
    }

    void map(const Node& node, const Field& field, const std::string& path) {
        if (is_a(Node::Kind::Map, node, field, path)) fields(node, field, path);
    }

    void choice(const Node& node, const Field& field, const std::string& path) {
        if (!is_a(Node::Kind::Map, node, field, path)) return;
        fields(node, field, path);
        std::vector<const Entry*> chosen;
        for (const Entry& entry : node.entries) {
            if (find_child(field, entry.key) != nullptr) chosen.push_back(&entry);
        }
        if (chosen.size() == 1) return;
        const std::string options = one_of(names_of(field.children));
        if (chosen.empty()) {
            // A misspelt choice has its own message; this one would only repeat it.
            if (!field.required || !node.entries.empty()) return;
            return reporter_.add(Rule::SourceCount, node.mark,
                                 fmt::format("{} is empty; give exactly one of {}", path, options));
        }
        reporter_.add(
            Rule::SourceCount, chosen[1]->mark,
            fmt::format("{} has both {} and {}; keep exactly one", path, chosen[0]->key, chosen[1]->key));
    }

    void text_map(const Node& node, const Field& field, const std::string& path) {
        if (!is_a(Node::Kind::Map, node, field, path)) return;
        if (static_cast<std::int64_t>(node.entries.size()) > field.maximum) {
            reporter_.add(Rule::TooMany, node.entries[static_cast<std::size_t>(field.maximum)].mark,
                          fmt::format("{} has {} entries; at most {} are allowed", path, node.entries.size(),
                                      field.maximum));
        }
        for (const Entry& entry : node.entries) {
            for (const Violation& violation : check_text(field.children[0], entry.key)) {
                reporter_.add(violation.rule, entry.mark, fmt::format("{}: {}", path, violation.message));
            }
            value(*entry.value, field.children[1], fmt::format("{}[{}]", path, in_quotes(entry.key)),
                  entry.mark);
        }
    }

    void list(const Node& node, const Field& field, const std::string& path) {
        if (field.or_one && node.kind == Node::Kind::Scalar)
            return value(node, field.children[0], path, node.mark);
        if (!is_a(Node::Kind::Sequence, node, field, path)) return;
        if (static_cast<std::int64_t>(node.items.size()) > field.maximum) {
            reporter_.add(Rule::TooMany, node.items[static_cast<std::size_t>(field.maximum)]->mark,
                          fmt::format("{} has {} items; at most {} are allowed", path, node.items.size(),
                                      field.maximum));
        }
        if (static_cast<std::int64_t>(node.items.size()) < field.minimum) {
            reporter_.add(Rule::TooShort, node.mark,
                          fmt::format("{} has {} items; at least {} {} needed{}", path, node.items.size(),
                                      field.minimum, field.minimum == 1 ? "is" : "are", example_of(field)));
        }
        std::set<std::string_view> seen;
        const std::size_t checked = std::min(node.items.size(), static_cast<std::size_t>(field.maximum));
        for (std::size_t i = 0; i < checked; ++i) {
            const Node& item = *node.items[i];
            value(item, field.children[0], fmt::format("{}[{}]", path, i), item.mark);
            if (field.unique && item.kind == Node::Kind::Scalar && !seen.insert(item.text).second) {
                reporter_.add(Rule::ListedTwice, item.mark,
                              fmt::format("{}: {} is listed twice; keep one", path, in_quotes(item.text)));
            }
        }
    }

    bool refuse_quotes(const Node& node, const std::string& path) {
        if (node.plain) return false;
        reporter_.add(
            Rule::ValueInvalid, node.mark,
            fmt::format("{}: the quotes make {} a text; write it without them", path, in_quotes(node.text)));
        return true;
    }

    void port(const Node& node, const Field& field, const std::string& path) {
        if (!is_a(Node::Kind::Scalar, node, field, path)) return;
        const auto number = parse_integer(node.text);
        if (number && refuse_quotes(node, path)) return;
        if (!complain(node, field, path)) return;
        summary_.port = static_cast<std::uint16_t>(*number);
        summary_.port_at = reporter_.at(node.mark);
    }

    /// Whether nothing is wrong with the text.
    bool complain(const Node& node, const Field& field, const std::string& path) {
        const Violations violations = check_text(field, node.text);
        for (const Violation& violation : violations) {
            reporter_.add(violation.rule, reporter_.within(node, violation.offset),
                          fmt::format("{}: {}", path, violation.message));
        }
        return violations.empty();
    }

    void text(const Node& node, const Field& field, const std::string& path) {
        if (!is_a(Node::Kind::Scalar, node, field, path)) return;
        if (field.type == Type::Switch && refuse_quotes(node, path)) return;
        if (field.type == Type::Enum || field.type == Type::Switch) return one_word(node, field, path);
        if (!complain(node, field, path) || field.type != Type::Name) return;
        if (field.refers_to) {
            summary_.references.push_back(
                {*field.refers_to, node.text, path, reporter_.at(node.mark), !field.listed_in.empty()});
        } else {
            summary_.name = node.text;
            summary_.name_at = reporter_.at(node.mark);
        }
    }

    void one_word(const Node& node, const Field& field, const std::string& path) {
        if (std::find(field.values.begin(), field.values.end(), node.text) != field.values.end()) return;
        std::string hint = did_you_mean(node.text, field.values);
        // Helps people who think of the field as a switch.
        constexpr std::array<std::string_view, 9> on{"on",   "On",   "ON", "yes", "Yes",
                                                     "true", "True", "1",  "up"};
        constexpr std::array<std::string_view, 9> off{"off",   "Off",   "OFF", "no",  "No",
                                                      "false", "False", "0",   "down"};
        if (field.name == "state") {
            if (std::find(on.begin(), on.end(), node.text) != on.end()) hint = "; did you mean 'Running'?";
            if (std::find(off.begin(), off.end(), node.text) != off.end()) hint = "; did you mean 'Stopped'?";
        }
        reporter_.add(Rule::ValueUnknown, node.mark,
                      fmt::format("{}: {} is unknown; write {}{}", path, in_quotes(node.text),
                                  one_of(field.values), hint));
    }

    const Field* table_;
    Reporter& reporter_;
    ObjectSummary summary_;
};

/// Whether the document is one of ours. A document with a foreign version is reported and not checked
/// further.
bool check_api_version(const Node& root, Reporter& reporter) {
    const Entry* entry = root.find("apiVersion");
    if (entry == nullptr) {
        reporter.add(Rule::ApiVersionMissing, root.mark,
                     fmt::format("apiVersion is missing; write `apiVersion: {}`", api_version));
        return true;
    }
    if (entry->value->kind == Node::Kind::Scalar && entry->value->text == api_version) return true;
    if (entry->value->kind != Node::Kind::Scalar) {
        reporter.add(
            Rule::ApiVersionUnknown, entry->mark,
            fmt::format("apiVersion is {}; write `apiVersion: {}`", word_for(*entry->value), api_version));
        return false;
    }
    reporter.add(Rule::ApiVersionUnknown, entry->value->mark,
                 fmt::format("apiVersion {} is unknown; this version of left4me understands {} only",
                             in_quotes(entry->value->text), api_version));
    return false;
}

const KindEntry* check_kind(const Node& root, Reporter& reporter) {
    std::vector<std::string_view> names;
    for (const KindEntry& kind : kinds()) names.push_back(kind.object.name);
    const Entry* entry = root.find("kind");
    if (entry == nullptr) {
        reporter.add(Rule::KindMissing, root.mark, fmt::format("kind is missing; write {}", one_of(names)));
        return nullptr;
    }
    const Node& value = *entry->value;
    if (value.kind != Node::Kind::Scalar) {
        reporter.add(Rule::KindUnknown, entry->mark,
                     fmt::format("kind is {}; write {}", word_for(value), one_of(names)));
        return nullptr;
    }
    if (const KindEntry* const kind = find_kind(value.text)) return kind;
    std::string hint = did_you_mean(value.text, names);
    if (hint.empty()) hint = fmt::format("; write {}", one_of(names));
    if (value.text == "List") hint = "; write its items as documents of their own, separated by lines `---`";
    reporter.add(Rule::KindUnknown, value.mark,
                 fmt::format("kind {} is unknown{}", in_quotes(value.text), hint));
    return nullptr;
}

/// Only the name, without reporting errors.
std::string readable_name(const Node& root) {
    const Node* metadata = root.get("metadata");
    const Node* name = metadata == nullptr ? nullptr : metadata->get("name");
    return name != nullptr && is_valid_name(name->text) ? name->text : "";
}

/// spec.rollout.warn with anything in it; nullptr: there is none.
const Node* warnings_of(const Node& root) {
    const Node* found = &root;
    for (const char* const name : {"spec", "rollout", "warn"}) {
        found = found->kind == Node::Kind::Map ? found->get(name) : nullptr;
        if (found == nullptr) return nullptr;
    }
    return found->items.empty() ? nullptr : found;
}

}  // namespace

ObjectSummary validate(const yaml::Node& root, Reporter& reporter) {
    if (root.kind != Node::Kind::Map) {
        reporter.add(Rule::NotAnObject, root.mark,
                     fmt::format("this document is {}; a manifest is a map that begins with `apiVersion: {}`",
                                 word_for(root), api_version));
        return {};
    }
    const bool ours = check_api_version(root, reporter);
    if (!ours) {
        ObjectSummary summary;
        summary.name = readable_name(root);
        return summary;
    }
    const KindEntry* const kind = check_kind(root, reporter);
    Validator validator(kind == nullptr ? nullptr : &kind->object, reporter);
    if (kind != nullptr) {
        validator.fields(root, kind->object, "");
        check_object(kind->kind, root, reporter);
    } else if (const Entry* metadata = root.find("metadata")) {
        const Field* field = find_child(kinds().front().object, "metadata");
        validator.value(*metadata->value, *field, "metadata", metadata->mark);
    }
    ObjectSummary summary = validator.take();
    summary.kind = kind;
    if (const Node* warn = warnings_of(root)) summary.warns_at = reporter.at(warn->mark);
    return summary;
}

void check_fields(const yaml::Node& root, const Field& table, Reporter& reporter) {
    Validator(&table, reporter).fields(root, table, "");
}

}  // namespace left4me
