#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "specs/placeholders.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

constexpr std::string_view by_port = "a server's port comes from spec.port of the Server";
constexpr std::string_view by_address = "left4me has every server listen on all addresses";
constexpr std::string_view by_systemd = "systemd watches the process and restarts it";
constexpr std::string_view by_left4me = "left4me updates the installation; a server never writes to it";

/// Options of the command line that left4me sets itself, with the reason.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> owned{{
    {"-port", by_port},
    {"+port", by_port},
    {"-hostport", by_port},
    {"+hostport", by_port},
    {"-strictportbind", "left4me always sets it, so that a server never takes another one's port"},
    {"-ip", by_address},
    {"+ip", by_address},
    {"-game", "left4me always starts left4dead2"},
    {"-norestart", by_systemd},
    {"-pidfile", by_systemd},
    {"-autoupdate", by_left4me},
    {"-steam_dir", by_left4me},
    {"-steamcmd_script", by_left4me},
    {"+servercfgfile", "spec.config always becomes server.cfg"},
}};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

/// One option or console variable of an argument.
struct Option {
    std::string name;        ///< "-port", "+hostport"; lower case
    std::size_t offset = 0;  ///< within the argument
};

/// Every word of an argument that the game could take for an option. srcds_run and the engine join all words
/// of the command line with spaces and split the result again, so quotes and spaces within an argument hide
/// nothing from them. A console command begins after a `;`, as after a `+`.
std::vector<Option> options_in(std::string_view text) {
    std::vector<Option> options;
    bool command = false;  // the word is the first one after a `;`
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = text.find_first_not_of(" \t\r\n\v\f\"'", at);
        if (begin == std::string_view::npos) break;
        if (text[begin] == ';') {
            command = true;
            at = begin + 1;
            continue;
        }
        at = std::min(text.find_first_of(" \t\r\n\v\f\"';", begin), text.size());
        const std::string word = lower(text.substr(begin, at - begin));
        std::string name = word.substr(0, word.find('='));
        // An alias or a binding runs its text later, so these two names cannot be meant otherwise.
        const bool unmistakable = name == "hostport" || name == "servercfgfile";
        if (unmistakable || (command && name.front() != '+' && name.front() != '-')) name.insert(0, 1, '+');
        options.push_back({std::move(name), begin});
        command = false;
    }
    return options;
}

/// "; did you mean '${name}'?", or how to write the text literally.
std::string hint_for(const PlaceholderToken& unknown) {
    constexpr std::array<std::string_view, 3> names{"name", "port", "secret"};
    const std::size_t colon = unknown.inner.find(':');
    const std::string_view meant = closest(unknown.inner.substr(0, colon), names);
    if (meant.empty()) return "; write $${ if you mean a literal ${";
    std::string_view rest = colon == std::string_view::npos ? "" : unknown.inner.substr(colon);
    if (meant == "secret" && rest.empty()) rest = ":FILE";
    return fmt::format("; did you mean '${{{}{}}}'?", meant, meant == "secret" ? rest : "");
}

std::string no_secret_file(std::string_view text) {
    return fmt::format(
        "{} is not the name of a secret: it takes A-Z, a-z, 0-9, '.', '_' and '-', not beginning with "
        "'.'; the file is in /etc/left4me/secrets",
        in_quotes(text));
}

constexpr std::array<std::string_view, 4> ending{"quit", "exit", "_restart", "killserver"};

constexpr std::string_view public_arguments = "all users of the host can read a command line";
constexpr std::string_view public_cvars = "left4me shows the values of cvars";

/// `no_secrets`: why a secret must not be in this text; empty: it may.
void check_placeholders(std::string_view text, std::string_view no_secrets, Violations& violations) {
    constexpr std::size_t most = 20;  // per text: more mistakes than that repeat the same one
    std::size_t offset = 0;
    const auto complain = [&](Rule rule, std::string message) {
        violations.push_back({rule, std::move(message), offset});
    };
    for (const PlaceholderToken& token : placeholder_tokens(text)) {
        if (violations.size() >= most) return;
        if (token.kind == PlaceholderToken::Kind::Unterminated) {
            complain(Rule::PlaceholderUnterminated,
                     fmt::format("{} is not closed by '}}'; write $${{ if you mean a literal ${{",
                                 in_quotes(token.source)));
        } else if (token.kind == PlaceholderToken::Kind::Unknown) {
            complain(Rule::PlaceholderUnknown, fmt::format("{} is not a placeholder; the placeholders are "
                                                           "${{name}}, ${{port}} and ${{secret:FILE}}{}",
                                                           in_quotes(token.source), hint_for(token)));
        } else if (token.kind == PlaceholderToken::Kind::Secret && !no_secrets.empty()) {
            complain(Rule::SecretInArgument, fmt::format("{}: {}; put secrets into spec.config",
                                                         in_quotes(token.source), no_secrets));
        } else if (token.kind == PlaceholderToken::Kind::Secret && !is_valid_secret_file(token.inner)) {
            complain(Rule::SecretFileInvalid, no_secret_file(token.inner));
        }
        offset += token.source.size();
    }
}

}  // namespace

std::vector<std::string_view> owned_options() {
    std::vector<std::string_view> options;
    for (const auto& [option, why] : owned) options.push_back(option);
    return options;
}

void check_argument(std::string_view text, Violations& violations) {
    if (text.empty()) {
        violations.push_back({Rule::TooShort, "an argument must not be empty; remove the item"});
        return;
    }
    for (const Option& option : options_in(text)) {
        const auto found = std::find_if(owned.begin(), owned.end(),
                                        [&](const auto& pair) { return pair.first == option.name; });
        if (found == owned.end()) continue;
        violations.push_back({Rule::ArgumentOwned,
                              fmt::format("{} is left4me's own: {}; remove it and its value",
                                          in_quotes(found->first), found->second),
                              option.offset});
    }
    if (lower(text).contains(password_variable)) {
        violations.push_back(
            {Rule::ArgumentPassword,
             "all users of the host can read a command line; write `rcon_password "
             "\"${secret:rcon}\"` into spec.config and the password into /etc/left4me/secrets/rcon"});
    }
    check_placeholders(text, public_arguments, violations);
}

void check_secret_file(std::string_view text, Violations& violations) {
    if (!is_valid_secret_file(text)) violations.push_back({Rule::SecretFileInvalid, no_secret_file(text)});
}

void check_config(std::string_view text, Violations& violations) { check_placeholders(text, {}, violations); }

std::span<const std::string_view> ending_commands() { return ending; }

void check_cvar_name(std::string_view text, Violations& violations) {
    const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_word)) {
        // The game does not distinguish upper and lower case.
        violations.push_back({Rule::CvarInvalid, fmt::format("{} is not the name of a cvar: use only a-z, "
                                                             "0-9 and '_' (lower case)",
                                                             in_quotes(text))});
    } else if (std::find(ending.begin(), ending.end(), text) != ending.end()) {
        violations.push_back(
            {Rule::CvarInvalid,
             fmt::format("{} is no cvar, but a command that ends the game; remove it", in_quotes(text))});
    } else if (text == password_variable) {
        violations.push_back(
            {Rule::CvarInvalid, fmt::format("{}: {}; write `rcon: {{secret: rcon}}` into the spec and the "
                                            "password into /etc/left4me/secrets/rcon",
                                            in_quotes(text), public_cvars)});
    }
}

void check_cvar_value(std::string_view text, Violations& violations) {
    if (const std::size_t at = text.find_first_of("\";"); at != std::string_view::npos) {
        violations.push_back({Rule::CvarInvalid,
                              fmt::format("{} contains {}, which ends a value in the game's console; a text "
                                          "that needs it belongs in spec.config",
                                          in_quotes(text), in_quotes(text.substr(at, 1))),
                              at});
    }
    check_placeholders(text, public_cvars, violations);
}

void check_scheduled_command(std::string_view text, Violations& violations) {
    const std::string words = lower(text);
    // The console splits a line at every `;`.
    for (std::size_t at = 0; at != std::string::npos && at < words.size();) {
        const std::size_t begin = words.find_first_not_of(" ;\"", at);
        if (begin == std::string::npos) return;
        const std::size_t end = std::min(words.find_first_of(" ;\"", begin), words.size());
        const auto found = std::find(ending.begin(), ending.end(), words.substr(begin, end - begin));
        if (found != ending.end()) {
            violations.push_back(
                {Rule::ScheduledCommand,
                 fmt::format("{} ends the game, whoever plays; write `action: Restart`, which "
                             "waits as `rollout` says",
                             in_quotes(*found)),
                 begin});
        }
        at = words.find(';', end);
    }
}

}  // namespace left4me
