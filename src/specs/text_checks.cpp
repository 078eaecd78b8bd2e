#include "specs/text_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "specs/grammars/grammar.hpp"
#include "specs/name.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// The name that was probably meant, if only its case and its separators are wrong.
std::string repaired_name(std::string_view text) {
    std::string repaired;
    for (const char c : text) {
        const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        repaired += c == '_' || c == '.' || c == ' ' ? '-' : lower;
    }
    return repaired;
}

void check_length(const Field& field, std::string_view text, Violations& violations) {
    const auto size = static_cast<std::int64_t>(text.size());
    if (field.maximum > 0 && size > field.maximum) {
        violations.push_back({Rule::TooLong, fmt::format("{} bytes are too long; at most {} are allowed",
                                                         size, field.maximum)});
    }
}

void check_control_characters(std::string_view text, bool lines, Violations& violations) {
    const std::size_t line_break = lines ? std::string_view::npos : text.find_first_of("\n\t");
    const std::size_t at = std::min(find_control_character(text), line_break);
    if (at == std::string_view::npos) return;
    violations.push_back({Rule::ControlCharacter,
                          fmt::format("{} contains the control character 0x{:02x}; remove it",
                                      in_quotes(text), static_cast<unsigned char>(text[at])),
                          at});
}

}  // namespace

void check_name(std::string_view text, Violations& violations) {
    if (is_valid_name(text)) return;
    const auto complain = [&](std::string why) {
        violations.push_back(
            {Rule::NameInvalid, fmt::format("{} is not a valid name: {}", in_quotes(text), why)});
    };
    if (text.empty()) return complain("it is empty");
    const auto bad =
        std::find_if(text.begin(), text.end(), [](char c) { return !is_lower_or_digit(c) && c != '-'; });
    if (bad != text.end()) {
        const std::string repaired = repaired_name(text);
        const std::string hint = is_valid_name(repaired) ? fmt::format("; did you mean '{}'?", repaired) : "";
        return complain("only a-z, 0-9 and, inside, '-' are allowed" + hint);
    }
    if (text.size() > max_name_length) {
        return complain(fmt::format("it has {} characters, {} are allowed", text.size(), max_name_length));
    }
    complain("it must begin and end with one of a-z, 0-9");
}

void check_label(std::string_view text, Violations& violations) {
    const bool valid = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
    });
    if (valid) return;
    violations.push_back(
        {Rule::LabelInvalid,
         fmt::format("{} is not valid in a label: it takes 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'",
                     in_quotes(text))});
}

Violations check_text(const Field& field, std::string_view text) {
    Violations violations;
    // The message for a name or label covers its characters and length.
    if (field.type == Type::Name) {
        check_name(text, violations);
        if (violations.empty() && !field.values.empty() && text != field.values.front())
            violations.push_back(
                {Rule::NameNotThis, fmt::format("there is one, and it is called {}; write that, "
                                                "not {}",
                                                in_quotes(field.values.front()), in_quotes(text))});
        return violations;
    }
    if (const Grammar* const grammar = grammar_of(field.type)) {
        check_word(*grammar, field, text, violations);
        return violations;
    }
    check_length(field, text, violations);
    if (!violations.empty()) return violations;
    switch (field.type) {
        case Type::Label:
            check_label(text, violations);
            break;
        case Type::Directory:
            check_control_characters(text, false, violations);
            check_directory(text, violations);
            break;
        case Type::ArchiveUrl:
            check_control_characters(text, false, violations);
            check_archive_url(text, violations);
            break;
        case Type::GitUrl:
            check_control_characters(text, false, violations);
            check_git_url(text, violations);
            break;
        case Type::HostKey:
            check_host_key(text, violations);
            break;
        case Type::GitRef:
            check_control_characters(text, false, violations);
            check_git_ref(text, violations);
            break;
        case Type::TreePath:
            check_control_characters(text, false, violations);
            check_tree_path(text, violations);
            break;
        case Type::HttpsUrl:
            check_control_characters(text, false, violations);
            check_https_url(text, violations);
            break;
        case Type::WorkshopId:
            check_workshop_id(text, violations);
            break;
        case Type::BuildId:
            check_build_id(text, violations);
            break;
        case Type::Sha256:
            check_sha256(text, violations);
            break;
        case Type::HostPath:
            check_control_characters(text, false, violations);
            check_host_path(text, violations);
            break;
        case Type::FilePath:
            check_control_characters(text, false, violations);
            check_file_path(text, violations);
            break;
        case Type::SecretFile:
            check_secret_file(text, violations);
            break;
        case Type::CvarName:
            check_cvar_name(text, violations);
            break;
        case Type::CvarValue:
            check_control_characters(text, false, violations);
            check_cvar_value(text, violations);
            break;
        case Type::Argument:
            check_control_characters(text, false, violations);
            check_argument(text, violations);
            break;
        case Type::Line:
            check_control_characters(text, false, violations);
            if (text.empty()) violations.push_back({Rule::TooShort, "it is empty; write one line of text"});
            break;
        case Type::Config:
            check_control_characters(text, true, violations);
            check_config(text, violations);
            break;
        default:
            check_control_characters(text, true, violations);
            break;
    }
    if (field.check != nullptr) field.check(text, violations);
    return violations;
}

}  // namespace left4me
