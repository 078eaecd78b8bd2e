#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "specs/diagnostic.hpp"

namespace left4me {

/// Whether a ref of git is a commit, and therefore does not move.
constexpr bool is_commit(std::string_view ref) {
    constexpr std::size_t digits = 40;
    return ref.size() == digits && ref.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// The commit that a ref stood for.
struct GitPin {
    std::string commit;  ///< 40 hexadecimal digits

    bool operator==(const GitPin&) const = default;
};

/// The version of an item of the Steam workshop. Steam publishes no digest: it is known once an item was
/// fetched.
struct ItemPin {
    std::uint64_t updated = 0;  ///< seconds since 1970
    std::uint64_t size = 0;     ///< bytes
    std::string sha256 = {};    ///< 64 hexadecimal digits; empty: unknown

    bool operator==(const ItemPin&) const = default;
};

/// The items that a workshop source stood for, with those of its collections, by their numbers.
struct WorkshopPin {
    std::map<std::string, ItemPin> items;

    bool operator==(const WorkshopPin&) const = default;
};

struct MapPin {
    std::uint64_t size = 0;  ///< bytes
    std::string md5;         ///< 32 hexadecimal digits

    bool operator==(const MapPin&) const = default;
};

/// The maps that an index named, by the names of their VPKs.
struct MapIndexPin {
    std::map<std::string, MapPin> maps;

    bool operator==(const MapIndexPin&) const = default;
};

/// The build of the game that was the newest at Steam.
struct SteamPin {
    std::string build;  ///< its number, in digits

    bool operator==(const SteamPin&) const = default;
};

/// Which version of a moving input an overlay is built from.
using Pin = std::variant<GitPin, WorkshopPin, MapIndexPin, SteamPin>;

/// An entry of the lock file.
struct LockedInput {
    /// Identifies the source that was pinned, as pin_identity() does; the pin of another one is stale.
    std::string source;
    Pin pin;
    Location where = {};
};

/// The lock file: pins by overlay.
using Lock = std::map<std::string, LockedInput>;

}  // namespace left4me
