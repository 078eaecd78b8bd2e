#include "l4d2ctl/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "specs/name.hpp"

namespace left4me::ctl {

namespace {

struct KindWords {
    Kind kind;
    std::array<const char*, 3> words;
};

constexpr std::array<KindWords, 3> kinds{{
    {Kind::Server, {"server", "servers", "srv"}},
    {Kind::Blueprint, {"blueprint", "blueprints", "bp"}},
    {Kind::Overlay, {"overlay", "overlays", "ov"}},
}};

}  // namespace

const char* to_string(Kind kind) {
    switch (kind) {
        case Kind::Server:
            return "server";
        case Kind::Blueprint:
            return "blueprint";
        case Kind::Overlay:
            return "overlay";
    }
    return "?";
}

const char* manifest_kind(Kind kind) {
    switch (kind) {
        case Kind::Server:
            return "Server";
        case Kind::Blueprint:
            return "Blueprint";
        case Kind::Overlay:
            return "Overlay";
    }
    return "?";
}

std::optional<Kind> parse_kind(const std::string& word) {
    std::string lower = word;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const KindWords& entry : kinds) {
        if (std::find(entry.words.begin(), entry.words.end(), lower) != entry.words.end()) return entry.kind;
    }
    return std::nullopt;
}

Result<Target> parse_target(const std::vector<std::string>& words) {
    std::string kind = words.empty() ? "" : words.front();
    std::string name = words.size() > 1 ? words[1] : "";
    if (const std::size_t slash = kind.find('/'); slash != std::string::npos && name.empty()) {
        name = kind.substr(slash + 1);
        kind.resize(slash);
        if (name.empty()) return fail(Exit::Usage, "a name is missing behind \"" + kind + "/\"");
    }
    Target target{.kind = parse_kind(kind), .name = name};
    if (!target.kind && kind != "all") {
        return fail(Exit::Usage, fmt::format("\"{}\" is no kind; there are servers (srv), blueprints (bp), "
                                             "overlays (ov) and all",
                                             kind));
    }
    if (!target.kind && !name.empty()) return fail(Exit::Usage, "\"all\" takes no name");
    if (!name.empty()) {
        if (auto checked = check_name(name); !checked) return std::unexpected(checked.error());
    }
    return target;
}

Result<void> check_name(const std::string& name) {
    if (is_valid_name(name)) return {};
    return fail(Exit::Usage, fmt::format("\"{}\" is no name: 1 to {} characters of a-z, 0-9 and - inside",
                                         name, max_name_length));
}

}  // namespace left4me::ctl
