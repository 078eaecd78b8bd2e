#include "specs/patterns.hpp"

#include <fmt/format.h>

#include <cctype>

#include "specs/grammars/grammar.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

/// What is_valid_secret_file() accepts.
constexpr std::string_view secret_file = R"((?!\.)[A-Za-z0-9._-]{1,64})";

/// Letters in either case: JSON Schema has no flag for that.
std::string any_case(std::string_view text) {
    std::string pattern;
    for (const char c : text) {
        const auto letter = static_cast<unsigned char>(c);
        if (std::isalpha(letter) != 0) {
            pattern += fmt::format("[{}{}]", static_cast<char>(std::tolower(letter)),
                                   static_cast<char>(std::toupper(letter)));
        } else if (c == '+') {
            pattern += "[+]";
        } else {
            pattern += c;
        }
    }
    return pattern;
}

/// Decimal numbers from 1 to `most`, without a leading zero.
std::string number_up_to(std::int64_t most) {
    const std::string digits = std::to_string(most);
    std::string pattern = digits;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const char least = i == 0 ? '1' : '0';
        if (digits[i] <= least) continue;
        const std::size_t rest = digits.size() - i - 1;
        pattern += fmt::format("|{}[{}-{}]", digits.substr(0, i), least, static_cast<char>(digits[i] - 1));
        if (rest > 0) pattern += fmt::format("[0-9]{{{}}}", rest);
    }
    if (digits.size() > 1) pattern += fmt::format("|[1-9][0-9]{{0,{}}}", digits.size() - 2);
    return pattern;
}

std::string duration_pattern(std::chrono::seconds maximum) {
    using namespace std::chrono;
    const auto one = [maximum](auto unit, char letter) {
        return fmt::format("({}){}", number_up_to(maximum / unit), letter);
    };
    return fmt::format("^({}|{}|{}|{})$", one(seconds(1), 's'), one(minutes(1), 'm'), one(hours(1), 'h'),
                       one(days(1), 'd'));
}

/// `$${` and the placeholders, `$` where it begins neither, and every other character. No character can match
/// in two ways, so matching takes linear time.
std::string text_with(std::string_view placeholders) {
    return fmt::format(R"(([^$]|\$(?!\$?\{{)|\$\$\{{|\$\{{({})\}})*$)", placeholders);
}

std::string argument_pattern() {
    std::string options;
    for (const std::string_view option : owned_options())
        options += (options.empty() ? "" : "|") + any_case(option);
    return fmt::format("^(?!({})([ \\t=]|$))(?!.*{})", options, any_case(password_variable)) +
           text_with("name|port");
}

constexpr const char* https_pattern = R"(^https://[^/?#@ ]+([/?][^# ]*)?$)";

/// What parse_remote_url() accepts, and no `%` in a URL, nor a path that begins with `-`.
std::string ssh_pattern() {
    constexpr std::string_view word = "[A-Za-z0-9._][A-Za-z0-9._-]*";
    constexpr std::int64_t max_port = 65535;
    return fmt::format("^ssh://({0}@)?{0}(:0*({1}))?/[!-$&-~]+$|^(?!.*://){0}@{0}:(?!-)[!-~]+$", word,
                       number_up_to(max_port));
}

std::string directory_pattern() {
    // Not the state directory, nothing beneath it, and no directory above it.
    std::string at_or_above;
    for (std::size_t end = state_directory.size(); end != 0; end = state_directory.rfind('/', end - 1)) {
        const std::size_t begin = state_directory.rfind('/', end - 1);
        const std::string tail = at_or_above.empty() ? "(/.*)?" : fmt::format("({})?", at_or_above);
        at_or_above = std::string(state_directory.substr(begin, end - begin)) + tail;
    }
    return fmt::format(R"(^(?!{}$)(/(?!\.{{1,2}}(/|$))[^/]+)+$)", at_or_above);
}

std::string cvar_name_pattern() {
    std::string refused(password_variable);
    for (const std::string_view command : ending_commands()) (refused += '|') += command;
    return fmt::format("^(?!({})$)[a-z0-9_]+$", refused);
}

/// A relative path without `.`, `..` and empty names.
constexpr const char* file_path = R"(^(?!\.{1,2}(/|$))[^/\\]+(/(?!\.{1,2}(/|$))[^/\\]+)*$)";

}  // namespace

std::string pattern_of(const Field& field) {
    switch (field.type) {
        case Type::Name:
            if (!field.values.empty()) return fmt::format("^{}$", field.values.front());
            return "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";
        case Type::Label:
            return "^[A-Za-z0-9._-]+$";
        case Type::SecretFile:
            return fmt::format("^{}$", secret_file);
        case Type::Duration:
            return duration_pattern(std::chrono::seconds(field.maximum));
        case Type::Deadline:
            return fmt::format("{}|{}", duration_pattern(std::chrono::seconds(field.maximum)),
                               grammar_of(Type::TimeOfDay)->pattern);
        case Type::Directory:
            return directory_pattern();
        case Type::FilePath:
            return file_path;
        case Type::TreePath:
            return fmt::format("^[.]$|{}", file_path);
        case Type::GitUrl:
            return fmt::format("{}|{}|{}", R"(^https://[^/?#@ ]+(/[^?# ]*[^/?# ])?$)", ssh_pattern(),
                               directory_pattern());
        case Type::HostKey:
            return R"(^(ssh-ed25519 AAAA[A-Za-z0-9+/]{64}|ecdsa-sha2-nistp(256|384|521) AAAA[A-Za-z0-9+/]{132,236}={0,2})$)";
        case Type::GitRef:
            return R"(^(?!@$|-|.*\.$|.*\.\.|.*@\{)(?!\.|.*/\.|.*\.lock(/|$))[^ ~^:?*\[\\/]+(/[^ ~^:?*\[\\/]+)*$)";
        case Type::ArchiveUrl:
            return fmt::format("{}|{}", https_pattern, directory_pattern());
        case Type::HttpsUrl:
            return https_pattern;
        case Type::WorkshopId:
            return "^[1-9][0-9]{0,18}$";
        case Type::BuildId:
            return "^[1-9][0-9]{0,9}$";
        case Type::Sha256:
            return "^[0-9a-f]{64}$";
        case Type::Argument:
            return argument_pattern();
        case Type::CvarName:
            return cvar_name_pattern();
        case Type::CvarValue:
            return "^(?!.*[\";])" + text_with("name|port");
        case Type::Config:
            return "^" + text_with(fmt::format("name|port|secret:{}", secret_file));
        default:
            break;
    }
    const Grammar* const grammar = grammar_of(field.type);
    return grammar == nullptr ? "" : std::string(grammar->pattern);
}

std::string_view control_characters_of(Type type) {
    const bool lines = type == Type::Config || type == Type::Text;
    return lines ? R"([\u0000-\u0008\u000b-\u001f\u007f-\u009f])" : R"([\u0000-\u001f\u007f-\u009f])";
}

}  // namespace left4me
