#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// A line of the index.
struct Map {
    std::string name;        ///< of the VPK: a plain file name that ends in ".vpk"
    std::uint64_t size = 0;  ///< of the VPK, in bytes
    std::string md5;         ///< of the VPK, 32 lower-case hexadecimal digits
    std::string url;         ///< of the archive that it is in: https://…

    bool operator==(const Map&) const = default;
};

inline constexpr std::size_t max_maps = 5000;

/// The maps of the index that `file` is open at, without those that the manifest excludes, sorted by name. A
/// process of its own parses it; what it says is checked here. Refused, with the number of the line and the
/// remedy: all that is not a valid line, a name that is there twice, more than max_maps or
/// the source's limits, an index without any map.
Built<std::vector<Map>> read_index(int file, const MapIndexSource& source);

}  // namespace left4me::builder
