#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace left4me::bench {

/// One line of a plot: cost by size. All values are above zero.
struct Curve {
    std::string name;
    char mark = '*';     ///< in characters
    const char* colour;  ///< in SVG
    std::vector<double> costs;
};

/// Both axes are logarithmic, so linear growth is a straight line that climbs one decade per decade; anything
/// steeper grows faster.
struct Plot {
    std::string title;
    std::string unit;
    std::vector<double> sizes;
    std::vector<Curve> curves;
};

std::string in_characters(const Plot& plot);
void write_svg(const Plot& plot, const std::filesystem::path& file);

}  // namespace left4me::bench
