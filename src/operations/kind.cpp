#include "operations/kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace left4me::operations {

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

}  // namespace left4me::operations
