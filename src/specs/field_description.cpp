#include "specs/field_description.hpp"

#include <fmt/format.h>

#include "specs/grammars/grammar.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

std::string item_description(const Field& item) {
    if (item.refers_to) return fmt::format("names of {}s", entry_of(*item.refers_to).object.name);
    if (item.type == Type::SecretFile) return "names of secrets";
    if (item.type == Type::FilePath) return "relative paths";
    if (item.type == Type::ArchiveUrl) return "URLs";
    if (item.type == Type::Duration) return "durations";
    return item.type == Type::Argument ? "words" : "texts";
}

std::string thousands(std::int64_t bytes) {
    constexpr std::int64_t kib = 1024;
    return bytes >= kib && bytes % kib == 0 ? fmt::format("{} KiB", bytes / kib)
                                            : fmt::format("{} bytes", bytes);
}

}  // namespace

std::string type_description(const Field& field) {
    if (const Grammar* const grammar = grammar_of(field.type)) return in_words(*grammar, field);
    switch (field.type) {
        case Type::Map:
            return "map";
        case Type::Choice:
            return field.required ? "map with exactly one field" : "map with at most one field";
        case Type::TextMap:
            return "map of texts";
        case Type::List:
            return field.or_one ? fmt::format("{} or list of {}", type_description(field.children[0]),
                                              item_description(field.children[0]))
                                : fmt::format("list of {}", item_description(field.children[0]));
        case Type::Constant:
        case Type::Enum:
        case Type::Switch:
            return one_of(field.values);
        case Type::Name:
            return field.refers_to ? "name of " + with_article(entry_of(*field.refers_to).object.name)
                                   : "name";
        case Type::Label:
            return "label text";
        case Type::Directory:
        case Type::HostPath:
            return "absolute path";
        case Type::FilePath:
        case Type::TreePath:
            return "relative path";
        case Type::Argument:
            return "word";
        case Type::Line:
            return "one line of text";
        case Type::SecretFile:
            return "name of a secret";
        case Type::CvarName:
            return "name of a cvar";
        case Type::ArchiveUrl:
        case Type::GitUrl:
        case Type::HttpsUrl:
            return "URL";
        case Type::HostKey:
            return "public key of a server";
        case Type::GitRef:
            return "branch, tag or commit";
        case Type::WorkshopId:
            return "number of a workshop item";
        case Type::BuildId:
            return "number of a build";
        case Type::Sha256:
            return "SHA-256";
        case Type::CvarValue:
        case Type::Config:
        case Type::Text:
            return "text";
        case Type::Port:
        case Type::Integer:
        case Type::Signed:
        case Type::CpuSet:
        case Type::Dscp:
        case Type::Size:
        case Type::Percentage:
        case Type::Share:
        case Type::Duration:
        case Type::TimeOfDay:
        case Type::Calendar:
        case Type::Deadline:
        case Type::Window:
            break;  // they have a grammar
    }
    return "";
}

std::vector<std::string> constraint_descriptions(const Field& field) {
    std::vector<std::string> constraints;
    if (const Grammar* const grammar = grammar_of(field.type);
        grammar != nullptr && !grammar->examples.empty())
        constraints.push_back(fmt::format("Write {}: {}.", grammar->form, grammar->examples));
    switch (field.type) {
        case Type::Name:
            if (field.refers_to) break;
            constraints.push_back(
                fmt::format("1 to {} characters a-z, 0-9 and, inside, '-'.", field.maximum));
            break;
        case Type::Directory:
            constraints.push_back(
                "Absolute, without '.', '..' or '//'; not in /var/lib/left4me and not above it.");
            break;
        case Type::Sha256:
            constraints.push_back("64 digits 0-9 and a-f, as `sha256sum FILE` prints them.");
            break;
        case Type::List:
            constraints.push_back(fmt::format(
                "At most {} items{}.", field.maximum,
                field.children[0].type == Type::Argument || field.children[0].type == Type::FilePath
                    ? fmt::format(" of at most {}", thousands(field.children[0].maximum))
                    : ""));
            if (field.unique) constraints.push_back("Items must be unique.");
            break;
        case Type::TextMap:
            constraints.push_back(fmt::format("At most {} entries.", field.maximum));
            if (field.children[0].type == Type::Label) {
                constraints.push_back("Keys and values: 1 to 63 characters A-Z, a-z, 0-9, '.', '_' and '-'.");
            } else if (field.children[0].type == Type::CvarName) {
                constraints.push_back(fmt::format(
                    "Names: a-z, 0-9 and '_', at most {}. Values: one line without '\"' and ';', at most "
                    "{}.",
                    thousands(field.children[0].maximum), thousands(field.children[1].maximum)));
            } else {
                constraints.push_back(
                    fmt::format("Paths: relative, without '.', '..', '//' and backslashes, at most {}. "
                                "Texts: at most {}.",
                                thousands(field.children[0].maximum), thousands(field.children[1].maximum)));
            }
            break;
        case Type::Config:
            constraints.push_back(fmt::format("At most {}.", thousands(field.maximum)));
            break;
        default:
            break;
    }
    return constraints;
}

bool has_named_children(const Field& field) { return field.type == Type::Map || field.type == Type::Choice; }

std::string json_quoted(std::string_view text) {
    std::string json = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') json += '\\';
        if (c == '\n') {
            json += "\\n";
        } else {
            json += c;
        }
    }
    return json + "\"";
}

}  // namespace left4me
