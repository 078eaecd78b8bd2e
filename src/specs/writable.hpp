#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// What a game may keep across starts if its Blueprint does not say: logs, bans, demos, data of scripts and
/// plugins, and caches of the game. Nothing in it is loaded as code. The two ban lists are console scripts,
/// which `exec banned_user.cfg` runs.
inline constexpr std::array<std::string_view, 18> default_writable = {
    "core",
    "core.*",
    "debug.log",
    "left4dead2/*.cache",
    "left4dead2/*.dem",
    "left4dead2/addonlist.txt",
    "left4dead2/addons/sourcemod/data",
    "left4dead2/addons/sourcemod/logs",
    "left4dead2/cfg/banned_ip.cfg",
    "left4dead2/cfg/banned_user.cfg",
    "left4dead2/core.*",
    "left4dead2/demos",
    "left4dead2/downloads",
    "left4dead2/ems",
    "left4dead2/logs",
    "left4dead2/maps/*.nav",
    "left4dead2/maps/graphs",
    "left4dead2/maps/soundcache",
};

inline constexpr std::size_t max_writable = 128;
inline constexpr std::size_t max_writable_bytes = 255;  ///< of one pattern

/// The files that left4me renders, relative to the game's root. A game's own file in their place is never
/// kept.
inline constexpr const char* server_config = "left4dead2/cfg/server.cfg";
/// Sets the cvars of the Blueprint; server.cfg runs it.
inline constexpr const char* cvars_config = "left4dead2/cfg/left4me_cvars.cfg";
inline constexpr std::array<std::string_view, 2> rendered_files = {server_config, cvars_config};

/// Whether `name` matches `pattern`: `*` matches any characters, `?` matches one, everything else itself.
/// Takes time proportional to the product of both lengths at most.
constexpr bool matches_name(std::string_view pattern, std::string_view name) {
    std::size_t at = 0;
    std::size_t in = 0;
    std::size_t star = std::string_view::npos;  // the last `*`, and where the part after it was last tried
    std::size_t tried = 0;
    while (at < name.size()) {
        if (in < pattern.size() && pattern[in] == '*') {
            star = in++;
            tried = at;
        } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == name[at])) {
            ++in;
            ++at;
        } else if (star != std::string_view::npos) {
            in = star + 1;
            at = ++tried;
        } else {
            return false;
        }
    }
    while (in < pattern.size() && pattern[in] == '*') ++in;
    return in == pattern.size();
}

/// A path relative to the game's root, with `*` and `?` in its names: no empty name, `.` or `..`, no
/// backslash, no control character, at most max_writable_bytes.
constexpr bool is_writable_pattern(std::string_view pattern) {
    if (pattern.empty() || pattern.size() > max_writable_bytes) return false;
    for (const char c : pattern) {
        if ((c >= '\0' && c < ' ') || c == '\x7f' || c == '\\') return false;
    }
    while (true) {
        const std::size_t slash = pattern.find('/');
        const std::string_view name = pattern.substr(0, slash);
        if (name.empty() || name == "." || name == "..") return false;
        if (slash == std::string_view::npos) return true;
        pattern.remove_prefix(slash + 1);
    }
}

/// How a name in an upper directory relates to the patterns.
struct WritableMatch {
    bool kept = false;        ///< the game may keep it, with all its content
    bool on_the_way = false;  ///< a directory that is a parent of a kept path or of a rendered file
    bool rendered = false;    ///< the name of a rendered file
};

/// The patterns as seen from one directory of the game's tree. It descends name by name, so that no path is
/// ever assembled. The texts must outlive it.
class Writable {
  public:
    template <typename Patterns>
    explicit Writable(const Patterns& patterns) {
        for (const std::string_view pattern : patterns) patterns_.push_back(pattern);
        rendered_.assign(rendered_files.begin(), rendered_files.end());
    }

    WritableMatch match(std::string_view name) const {
        WritableMatch result{.kept = all_, .on_the_way = false, .rendered = false};
        for (const std::string_view pattern : patterns_) {
            const std::size_t slash = pattern.find('/');
            if (!matches_name(pattern.substr(0, slash), name)) continue;
            if (slash == std::string_view::npos) {
                result.kept = true;
            } else {
                result.on_the_way = true;
            }
        }
        for (const std::string_view file : rendered_) {
            const std::size_t slash = file.find('/');
            if (file.substr(0, slash) != name) continue;
            if (slash == std::string_view::npos) {
                result = {.kept = false, .on_the_way = false, .rendered = true};
            } else {
                result.on_the_way = true;
            }
        }
        // A directory that is kept whole need not be read, unless a rendered file is in it.
        if (result.kept && !leads_to_rendered(name)) result.on_the_way = false;
        return result;
    }

    /// As seen from the directory `name` in this one.
    Writable enter(std::string_view name) const {
        Writable inner;
        inner.all_ = match(name).kept;
        const auto follow = [name](const std::vector<std::string_view>& from,
                                   std::vector<std::string_view>& into) {
            for (const std::string_view path : from) {
                const std::size_t slash = path.find('/');
                if (slash != std::string_view::npos && matches_name(path.substr(0, slash), name))
                    into.push_back(path.substr(slash + 1));
            }
        };
        follow(patterns_, inner.patterns_);
        follow(rendered_, inner.rendered_);
        return inner;
    }

  private:
    Writable() = default;

    bool leads_to_rendered(std::string_view name) const {
        for (const std::string_view file : rendered_) {
            const std::size_t slash = file.find('/');
            if (slash != std::string_view::npos && file.substr(0, slash) == name) return true;
        }
        return false;
    }

    bool all_ = false;
    std::vector<std::string_view> patterns_;
    std::vector<std::string_view> rendered_;
};

}  // namespace left4me
