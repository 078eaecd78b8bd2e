#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace left4me::bench {

/// One line of a plot: what something costs, by how much of it there is. All are above zero.
struct Curve {
    std::string name;
    char mark = '*';     ///< in characters
    const char* colour;  ///< in SVG
    std::vector<double> costs;
};

/// Both axes are logarithmic, so that what grows with the number of servers is a straight line that climbs
/// one decade a decade; anything steeper grows faster than that.
struct Plot {
    std::string title;
    std::string unit;
    std::vector<double> sizes;
    std::vector<Curve> curves;
};

std::string in_characters(const Plot& plot);
void write_svg(const Plot& plot, const std::filesystem::path& file);

}  // namespace left4me::bench
