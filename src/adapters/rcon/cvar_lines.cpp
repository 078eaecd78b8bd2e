#include "adapters/rcon/cvar_lines.hpp"

#include <algorithm>

#include "adapters/lines.hpp"

namespace left4me::rcon {
namespace {

/// The game cuts a command into words in a buffer of 512 bytes.
constexpr std::size_t longest_line = 480;
/// More than any name or value in a manifest.
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_value = 1024;

constexpr std::string_view unknown = "help:  no cvar or command named ";

/// Joins commands to lines of at most that length.
class Lines {
  public:
    void add(const std::string& command) {
        if (lines_.empty() || lines_.back().size() + command.size() >= longest_line) {
            lines_.push_back(command);
        } else {
            (lines_.back() += ';') += command;
        }
    }
    std::vector<std::string> take() { return std::move(lines_); }

  private:
    std::vector<std::string> lines_;
};

std::string lower(std::string_view name) {
    std::string text(name);
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

struct Described {
    std::string_view name;
    std::optional<std::string> value;
};

/// `"sv_maxrate" = "30000" ( def. "0" ) min. 0.000000 …`, of a command `"quit"`.
std::optional<Described> parse_line(std::string_view line) {
    if (line.starts_with(unknown)) return Described{line.substr(unknown.size()), std::nullopt};
    if (!line.starts_with('"')) return std::nullopt;
    line.remove_prefix(1);
    const std::size_t end = line.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view name = line.substr(0, end);
    line.remove_prefix(end + 1);
    constexpr std::string_view equals = " = \"";
    if (!line.starts_with(equals)) return Described{name, std::nullopt};
    line.remove_prefix(equals.size());
    const std::size_t closing = line.find('"');
    if (closing == std::string_view::npos || closing > longest_value) return std::nullopt;
    return Described{name, std::string(line.substr(0, closing))};
}

}  // namespace

std::vector<std::string> lines_that_read(const std::set<std::string>& names) {
    Lines lines;
    for (const std::string& name : names) lines.add("help " + name);
    return lines.take();
}

std::vector<std::string> lines_that_set(const std::map<std::string, std::string>& cvars) {
    Lines lines;
    for (const auto& [name, value] : cvars) lines.add(name + " \"" + value + "\"");
    return lines.take();
}

std::map<std::string, std::optional<std::string>> parse_cvars(std::string_view text) {
    std::map<std::string, std::optional<std::string>> cvars;
    std::set<std::string> unclear;
    for (std::string_view line : lines_of(text)) {
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        const auto described = parse_line(line);
        if (!described || described->name.empty() || described->name.size() > longest_name) continue;
        const std::string name = lower(described->name);
        const auto [known, is_new] = cvars.emplace(name, described->value);
        if (!is_new && known->second != described->value) unclear.insert(name);
    }
    for (const std::string& name : unclear) cvars.erase(name);
    return cvars;
}

}  // namespace left4me::rcon
