#include "specs/text_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "specs/grammars/grammar.hpp"
#include "specs/name.hpp"
#include "specs/words.hpp"

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

void check_length(const Field& field, std::string_view text, Complaints& complaints) {
    const auto size = static_cast<std::int64_t>(text.size());
    if (field.maximum > 0 && size > field.maximum) {
        complaints.push_back({Rule::TooLong, fmt::format("{} bytes are too long; at most {} are allowed",
                                                         size, field.maximum)});
    }
}

void check_control_characters(std::string_view text, bool lines, Complaints& complaints) {
    const std::size_t line_break = lines ? std::string_view::npos : text.find_first_of("\n\t");
    const std::size_t at = std::min(find_control_character(text), line_break);
    if (at == std::string_view::npos) return;
    complaints.push_back({Rule::ControlCharacter,
                          fmt::format("{} holds the control character 0x{:02x}; remove it", in_quotes(text),
                                      static_cast<unsigned char>(text[at])),
                          at});
}

}  // namespace

void check_name(std::string_view text, Complaints& complaints) {
    if (is_valid_name(text)) return;
    const auto complain = [&](std::string why) {
        complaints.push_back(
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

void check_label(std::string_view text, Complaints& complaints) {
    const bool valid = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
    });
    if (valid) return;
    complaints.push_back(
        {Rule::LabelInvalid,
         fmt::format("{} is not valid in a label: it takes 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'",
                     in_quotes(text))});
}

Complaints check_text(const Field& field, std::string_view text) {
    Complaints complaints;
    // The message for a name or label covers its characters and length.
    if (field.type == Type::Name) {
        check_name(text, complaints);
        return complaints;
    }
    if (const Grammar* const grammar = grammar_of(field.type)) {
        check_word(*grammar, field, text, complaints);
        return complaints;
    }
    check_length(field, text, complaints);
    if (!complaints.empty()) return complaints;
    switch (field.type) {
        case Type::Label:
            check_label(text, complaints);
            break;
        case Type::Directory:
            check_control_characters(text, false, complaints);
            check_directory(text, complaints);
            break;
        case Type::HostPath:
            check_control_characters(text, false, complaints);
            check_host_path(text, complaints);
            break;
        case Type::FilePath:
            check_control_characters(text, false, complaints);
            check_file_path(text, complaints);
            break;
        case Type::SecretFile:
            check_secret_file(text, complaints);
            break;
        case Type::Argument:
            check_control_characters(text, false, complaints);
            check_argument(text, complaints);
            break;
        case Type::Config:
            check_control_characters(text, true, complaints);
            check_config(text, complaints);
            break;
        default:
            check_control_characters(text, true, complaints);
            break;
    }
    if (field.check != nullptr) field.check(text, complaints);
    return complaints;
}

}  // namespace left4me
