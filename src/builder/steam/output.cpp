#include "builder/steam/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "reconciler/game.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

/// Longer ones say nothing that matters.
constexpr std::size_t max_line = 4096;

/// Exit codes, as seen; none is documented.
constexpr int updated_itself = 42;
constexpr int login_failed = 5;
constexpr int not_executable = 126;
constexpr int not_found = 127;

/// Bits of an app's state, as SteamDB names them; 0x202 and 0x212 come with a full disk.
constexpr unsigned disk_full = 0x202;
constexpr unsigned disk_full_while_moving = 0x212;
constexpr unsigned update_required = 0x6;
constexpr unsigned files_missing = 0xE;
constexpr unsigned update_running = 0x406;

template <typename Number>
std::optional<Number> number_at(std::string_view text, int base = 10) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return number;
}

/// What stands behind the last `mark` in the line; nullopt: it is not in it.
std::optional<std::string_view> after(std::string_view line, std::string_view mark) {
    const std::size_t at = line.rfind(mark);
    if (at == std::string_view::npos) return std::nullopt;
    return line.substr(at + mark.size());
}

/// The decimal sign of `progress:` depends on the language, so only the numbers in parentheses are read.
std::optional<SteamProgress> parse_progress(std::string_view line) {
    const auto state = after(line, "Update state (0x");
    if (!state) return std::nullopt;
    const std::size_t open = state->rfind('(');
    const std::size_t slash = open == std::string_view::npos ? open : state->find(" / ", open);
    if (slash == std::string_view::npos) return std::nullopt;
    const auto number = number_at<unsigned>(*state, 16);
    const auto bytes = number_at<std::uint64_t>(state->substr(open + 1));
    const auto total = number_at<std::uint64_t>(state->substr(slash + 3));
    if (!number || !bytes || !total) return std::nullopt;
    return SteamProgress{*number, *bytes, *total};
}

/// In this order: the first that the line has.
constexpr std::array<std::pair<std::string_view, SteamComplaint>, 10> complaints{{
    {"Rate Limit Exceeded", SteamComplaint::RateLimit},
    {"FAILED login", SteamComplaint::Login},
    {"Login Failure", SteamComplaint::Login},
    {"Invalid platform", SteamComplaint::Licence},
    {"No subscription", SteamComplaint::Licence},
    {"Missing configuration", SteamComplaint::Configuration},
    {"Not enough disk space", SteamComplaint::DiskSpace},
    {"ERROR!", SteamComplaint::Other},
    {"Error!", SteamComplaint::Other},
    {"FAILED (", SteamComplaint::Other},
}};

SteamComplaint complaint_in(std::string_view line) {
    const auto* const found = std::find_if(complaints.begin(), complaints.end(),
                                           [line](const auto& one) { return line.contains(one.first); });
    return found == complaints.end() ? SteamComplaint::None : found->second;
}

/// The texts in quotes of a line of Valve's format: a key, and perhaps a value.
std::pair<std::string_view, std::string_view> quoted(std::string_view line) {
    const auto next = [&line]() -> std::string_view {
        const std::size_t begin = line.find('"');
        const std::size_t end = begin == std::string_view::npos ? begin : line.find('"', begin + 1);
        if (end == std::string_view::npos) return {};
        const std::string_view text = line.substr(begin + 1, end - begin - 1);
        line.remove_prefix(end + 1);
        return text;
    };
    const std::string_view key = next();
    return {key, next()};
}

bool is_build(std::string_view text) {
    constexpr std::size_t max_digits = 10;
    return !text.empty() && text.size() <= max_digits &&
           text.find_first_not_of("0123456789") == std::string_view::npos && text.front() != '0';
}

SteamVerdict fatal(const SteamOutput& output, const std::string& meaning) {
    return {SteamEnd::Fatal,
            output.error().empty() ? meaning : fmt::format("{} ({})", meaning, output.error())};
}

/// What both kinds of runs can end with; nullopt: nothing of it.
std::optional<SteamVerdict> judge_any(const SteamOutput& output, int exit_code) {
    if (exit_code == updated_itself) return SteamVerdict{SteamEnd::Again, "steamcmd has replaced itself"};
    if (exit_code == not_found || exit_code == not_executable) {
        return SteamVerdict{SteamEnd::Fatal,
                            "steamcmd cannot be run on this host: it needs 32-bit libraries; sudo dpkg "
                            "--add-architecture i386, then install libc6:i386 and lib32stdc++6"};
    }
    if (output.complaint() == SteamComplaint::RateLimit)
        return fatal(output, "Steam refuses more logins from this host for a while");
    if (exit_code == login_failed || output.complaint() == SteamComplaint::Login)
        return fatal(output, "Steam refuses the anonymous login");
    return std::nullopt;
}

std::string how_it_ended(const SteamOutput& output, int exit_code) {
    if (!output.error().empty()) return "steamcmd: " + output.error();
    return fmt::format("steamcmd ended with exit code {}{}", exit_code,
                       exit_code == 0 ? ", but without a word of success" : "");
}

}  // namespace

void SteamOutput::feed(std::string_view bytes) {
    for (const char c : bytes) {
        if (escape_) {
            // ESC [ … letter
            escape_ = c == '[' || c == ';' || (c >= '0' && c <= '9');
        } else if (c == '\x1b') {
            escape_ = true;
        } else if (c == '\n' || c == '\r') {
            end_line();
        } else if (line_.size() < max_line) {
            line_ += c;
        }
    }
}

void SteamOutput::end_line() {
    if (!line_.empty()) take(line_);
    line_.clear();
}

void SteamOutput::take(std::string_view line) {
    if (auto progress = parse_progress(line)) progress_ = progress;
    if (line.contains(fmt::format("Success! App '{}'", game::steam_app))) succeeded_ = true;
    if (const SteamComplaint complaint = complaint_in(line); complaint != SteamComplaint::None) {
        complaint_ = complaint;
        error_ = printable_line(line);
        if (const auto state = after(line, "' state is 0x")) failed_state_ = number_at<unsigned>(*state, 16);
    }
    look_for_build(line);
}

void SteamOutput::look_for_build(std::string_view line) {
    constexpr int in_public = 2;
    const auto [key, value] = quoted(line);
    if (branch_ == 0 && key == "branches") {
        branch_ = 1;
    } else if (branch_ == 1 && key == "public") {
        branch_ = in_public;
    } else if (branch_ == in_public && key == "buildid" && is_build(value)) {
        build_ = value;
        branch_ = 0;
    }
}

SteamVerdict judge_update(const SteamOutput& output, int exit_code) {
    if (auto verdict = judge_any(output, exit_code)) return *verdict;
    const std::string said = "steamcmd: " + output.error();
    switch (output.complaint()) {
        case SteamComplaint::Licence:
            return fatal(output,
                         fmt::format("Steam does not give app {} to an anonymous login for this platform; it "
                                     "has changed its licences before, see docs/installation.md",
                                     game::steam_app));
        case SteamComplaint::DiskSpace:
            return {SteamEnd::DiskFull, said};
        case SteamComplaint::Configuration:
            return {SteamEnd::WithoutValidate, said};
        case SteamComplaint::None:
        case SteamComplaint::RateLimit:
        case SteamComplaint::Login:
        case SteamComplaint::Other:
            break;
    }
    if (const auto state = output.failed_state()) {
        if (*state == disk_full || *state == disk_full_while_moving)
            return {SteamEnd::DiskFull, "the disk is full: " + output.error()};
        if (*state == update_required || *state == files_missing || *state == update_running)
            return {SteamEnd::Stuck, said};
        return {SteamEnd::Retry, said};
    }
    if (output.succeeded() && exit_code == 0) return {SteamEnd::Done, {}};
    return {SteamEnd::Retry, how_it_ended(output, exit_code)};
}

SteamVerdict judge_lookup(const SteamOutput& output, int exit_code) {
    if (auto verdict = judge_any(output, exit_code)) return *verdict;
    if (!output.public_build().empty()) return {SteamEnd::Done, {}};
    if (output.error().empty()) return {SteamEnd::Retry, "steamcmd does not say which build is the newest"};
    return {SteamEnd::Retry, how_it_ended(output, exit_code)};
}

std::string build_in_manifest(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const auto [key, value] = quoted(text.substr(0, end));
        if (key == "buildid" && is_build(value)) return std::string(value);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

}  // namespace left4me::builder
