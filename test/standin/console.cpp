#include "console.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace standin {
namespace {

/// The words of one line, one list per command.
std::vector<std::vector<std::string>> split(std::string_view line) {
    std::vector<std::vector<std::string>> commands(1);
    std::string word;
    bool in_word = false;
    const auto end_word = [&] {
        if (in_word) commands.back().push_back(std::exchange(word, {}));
        in_word = false;
    };
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char c = line[at];
        if (c == '"') {
            const auto closing = line.find('"', at + 1);
            word += line.substr(at + 1, closing == line.npos ? line.npos : closing - at - 1);
            in_word = true;
            if (closing == line.npos) break;
            at = closing;
        } else if (c == ';') {
            end_word();
            commands.emplace_back();
        } else if (line.substr(at, 2) == "//") {
            break;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            end_word();
        } else {
            word += c;
            in_word = true;
        }
    }
    end_word();
    return commands;
}

constexpr int deepest_exec = 8;

constexpr std::array<std::string_view, 8> commands{"echo", "exec", "exit",  "help",
                                                   "quit", "say",  "stats", "status"};

}  // namespace

std::string Console::execute(std::string_view line) {
    std::string said;
    for (const auto& words : split(line))
        if (!words.empty()) said += command(words);
    return said;
}

std::string Console::execute_file(const std::string& name) {
    const auto file = name.find('.') == name.npos ? name + ".cfg" : name;
    std::ifstream stream(game_ / "cfg" / file);
    if (!stream) return "exec: couldn't exec " + file + "\n";
    if (depth_ >= deepest_exec) return "exec: too deep, not executing " + file + "\n";
    std::string said;
    ++depth_;
    for (std::string line; std::getline(stream, line);) said += execute(line);
    --depth_;
    return said;
}

std::string Console::command(const std::vector<std::string>& words) {
    const auto& name = words.front();
    if (name == "exec")
        return words.size() > 1 ? execute_file(words[1]) : "exec <filename>: execute a script file\n";
    if (name == "quit" || name == "exit") {
        quit_ = true;
        return "";
    }
    if (name == "status") return status();
    if (name == "stats") return stats();
    if (name == "cvarlist") return list(words.size() > 1 ? words[1] : "");
    if (name == "standin_queries") return std::to_string(queries_) + "\n";
    std::string rest;
    for (std::size_t i = 1; i < words.size(); ++i) rest += (i > 1 ? " " : "") + words[i];
    if (name == "echo") return rest + " \n";
    if (name == "say") return "Console: " + rest + "\n";
    if (name == "rcon_password" && words.size() == 1) return "";  // protected: never shown
    if (name == "help") return help(words.size() > 1 ? words[1] : "");
    if (is_listed("standin_unknown", name)) return "Unknown command \"" + name + "\"\n";
    if (words.size() > 1) {
        if (!is_listed("standin_fixed", name)) variables_[name] = rest;
        return "";
    }
    const auto known = variables_.find(name);
    if (known == variables_.end()) return "Unknown command \"" + name + "\"\n";
    return "\"" + name + "\" = \"" + known->second + "\"\n";
}

/// As ConVar_PrintDescription() of the Source engine, which `help` prints.
std::string Console::help(const std::string& name) const {
    if (name.empty()) return "Usage:  help <cvarname>\n";
    if (std::find(commands.begin(), commands.end(), name) != commands.end()) return "\"" + name + "\"\n";
    const auto known = variables_.find(name);
    if (known == variables_.end() || is_listed("standin_unknown", name))
        return "help:  no cvar or command named " + name + "\n";
    return "\"" + name + "\" = \"" + known->second +
           "\" ( def. \"0\" ) notify replicated\n - What it is for\n";
}

/// Whether a variable's value, words with spaces between them, has the word.
bool Console::is_listed(const char* variable, const std::string& word) const {
    return (" " + text(variable) + " ").find(" " + word + " ") != std::string::npos;
}

std::string Console::list(const std::string& beginning) const {
    std::map<std::string, std::string> all{
        {"echo", "cmd"}, {"exec", "cmd"}, {"say", "cmd"}, {"stats", "cmd"}, {"status", "cmd"}};
    for (const auto& [name, value] : variables_)
        all.emplace(name, name.ends_with("password") ? "protected" : value);
    std::string said = "cvar list\n--------------\n";
    int total = 0;
    for (const auto& [name, value] : all) {
        if (!name.starts_with(beginning)) continue;
        ++total;
        said += name + std::string(name.size() < 40 ? 40 - name.size() : 1, ' ') + " : " + value + " : : \n";
    }
    return said + "--------------\n" + std::to_string(total) + " total convars/concommands\n";
}

std::string Console::text(const std::string& name, const std::string& otherwise) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? otherwise : found->second;
}

int Console::number(const std::string& name, int otherwise) const {
    const auto value = text(name);
    int parsed = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    return error == std::errc{} ? parsed : otherwise;
}

bool Console::advance(Clock::time_point now) {
    const auto count = [&](const char* name) { return static_cast<std::size_t>(std::max(0, number(name))); };
    people_.order(count("standin_players"), count("standin_connecting"), number("standin_reserved") != 0);
    const Script usual;
    people_.follow(text("standin_script").empty()
                       ? std::nullopt
                       : std::optional(Script{.seed = static_cast<unsigned>(number("standin_script")),
                                              .quiet = number("standin_quiet", usual.quiet),
                                              .stay = number("standin_stay", usual.stay),
                                              .group = number("standin_group", usual.group),
                                              .connect = number("standin_connect", usual.connect),
                                              .lobby = number("standin_lobby", usual.lobby)}));
    return people_.advance(now);
}

std::string Console::status() const {
    if (text("standin_status") == "garbled") return "players : 0 humans, 0 bots (8 max) (hiber\n";
    const auto now = Clock::now();
    const bool reserved = people_.is_reserved();
    const bool hibernating = humans() == 0 && !reserved;
    std::string said = "hostname: " + text("hostname", "Left 4 Dead 2") + "\n";
    said += "version : 2.2.4.3 9477 secure  (unknown)\n";
    said += "udp/ip  : " + text("ip", "0.0.0.0") + ":" + text("hostport", "27015") + " [ public n/a ]\n";
    said += "os      : Linux Dedicated\n";
    said += "map     : " + text("map", "c1m1_hotel") + "\n";
    said += "players : " + std::to_string(humans()) + " humans, " + std::to_string(number("standin_bots")) +
            " bots (" + text("maxplayers", "4") + " max) (" +
            (hibernating ? "hibernating" : "not hibernating") + ") (" +
            (reserved ? "reserved 186000047cf0fd8" : "unreserved") + ")\n\n";
    said += "# userid name uniqueid connected ping loss state rate adr\n";
    int slot = 0;
    for (const Person& one : people_.here()) {
        ++slot;
        const auto here = std::chrono::duration_cast<std::chrono::seconds>(now - one.came).count();
        const auto two = [](long value) { return (value < 10 ? "0" : "") + std::to_string(value); };
        said += "# " + std::to_string(slot + 1) + " " + std::to_string(slot) + " \"" + one.name + "\" " +
                one.steam_id + " " + two(here / 60) + ":" + two(here % 60) + " 40 0 " +
                (one.is_playing(now) ? "active" : "spawning") + " 30000 192.0.2.1:27005\n";
    }
    for (int i = 0; i < number("standin_bots"); ++i)
        said += "#" + std::to_string(100 + i) + " \"Coach\" BOT active\n";
    return said + "#end\n";
}

std::string Console::stats() const {
    if (text("standin_stats") == "garbled") return "CPU    In_(KB/s)  Out_(KB/s)  Uptime\n0.00   0.0";
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(Clock::now() - started_).count();
    // A game that hibernates sleeps between its frames.
    const double fps =
        humans() == 0 ? 2.0 : std::strtod(text("standin_fps", text("tickrate", "30")).c_str(), nullptr);
    std::array<char, 200> line{};
    std::snprintf(line.data(), line.size(), "%-6.2f %-10.2f %-11.2f %-7ld %-12d %-8.2f %-8d %u\n", 0.0, 0.0,
                  0.0, minutes, 0, fps, humans(), people_.connects());
    return "CPU    In_(KB/s)  Out_(KB/s)  Uptime  Map_changes  FPS      Players  Connects\n" +
           std::string(line.data()) + "\n";
}

}  // namespace standin
