#include "growth_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace left4me::bench {
namespace {

/// The decades covered by all points of one axis.
struct Axis {
    int lowest = 0;
    int highest = 1;

    double share(double value) const { return (std::log10(value) - lowest) / (highest - lowest); }
};

Axis axis_for(const std::vector<double>& values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    Axis axis;
    axis.lowest = static_cast<int>(std::floor(std::log10(*least)));
    axis.highest = std::max(axis.lowest + 1, static_cast<int>(std::ceil(std::log10(*most))));
    return axis;
}

Axis cost_axis(const Plot& plot) {
    std::vector<double> all;
    for (const Curve& curve : plot.curves) all.insert(all.end(), curve.costs.begin(), curve.costs.end());
    return axis_for(all);
}

std::size_t cell(double share, std::size_t cells) {
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(cells)));
}

constexpr std::size_t columns_a_decade = 16;
constexpr std::size_t rows_a_decade = 4;

constexpr double width = 640;
constexpr double height = 400;
constexpr double margin = 60;

double x_of(const Axis& axis, double value) { return margin + axis.share(value) * (width - 2 * margin); }
double y_of(const Axis& axis, double value) {
    return height - margin - axis.share(value) * (height - 2 * margin);
}

std::string svg_grid(const Axis& across, const Axis& up, const std::string& unit) {
    std::string text;
    for (int decade = across.lowest; decade <= across.highest; ++decade) {
        const double x = x_of(across, std::pow(10, decade));
        text += fmt::format(R"(<path d="M{0:.0f} {1:.0f}V{2:.0f}" stroke="#ddd"/>)"
                            R"(<text x="{0:.0f}" y="{3:.0f}" text-anchor="middle">{4:g}</text>)"
                            "\n",
                            x, margin, height - margin, height - margin + 18, std::pow(10, decade));
    }
    for (int decade = up.lowest; decade <= up.highest; ++decade) {
        const double y = y_of(up, std::pow(10, decade));
        text += fmt::format(R"(<path d="M{0:.0f} {1:.0f}H{2:.0f}" stroke="#ddd"/>)"
                            R"(<text x="{3:.0f}" y="{4:.0f}" text-anchor="end">{5:g} {6}</text>)"
                            "\n",
                            margin, y, width - margin, margin - 6, y + 4, std::pow(10, decade), unit);
    }
    return text;
}

std::string svg_curve(const Plot& plot, const Curve& curve, const Axis& across, const Axis& up) {
    std::string points;
    std::string marks;
    for (std::size_t i = 0; i < plot.sizes.size(); ++i) {
        const double x = x_of(across, plot.sizes[i]);
        const double y = y_of(up, curve.costs[i]);
        points += fmt::format("{:.1f},{:.1f} ", x, y);
        marks += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>)", x, y, curve.colour);
    }
    return fmt::format(R"(<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>{})"
                       "\n",
                       points, curve.colour, marks);
}

}  // namespace

std::string in_characters(const Plot& plot) {
    const Axis across = axis_for(plot.sizes);
    const Axis up = cost_axis(plot);
    const std::size_t columns = columns_a_decade * static_cast<std::size_t>(across.highest - across.lowest);
    const std::size_t rows = rows_a_decade * static_cast<std::size_t>(up.highest - up.lowest);
    std::vector<std::string> picture(rows + 1, std::string(columns + 1, ' '));
    for (const Curve& curve : plot.curves) {
        for (std::size_t i = 0; i < plot.sizes.size(); ++i) {
            std::string& row = picture[rows - cell(up.share(curve.costs[i]), rows)];
            std::size_t column = cell(across.share(plot.sizes[i]), columns);
            while (column < row.size() && row[column] != ' ')
                ++column;  // equal points are drawn next to each other
            row.replace(column, 1, 1, curve.mark);
        }
    }
    std::string text = plot.title + "\n";
    for (std::size_t row = 0; row <= rows; ++row) {
        const bool labelled = row % rows_a_decade == 0;
        const double value = std::pow(10, up.highest - static_cast<int>(row / rows_a_decade));
        std::string line =
            (labelled ? fmt::format("{:>8g} {} +", value, plot.unit) : std::string(12, ' ')) + picture[row];
        line.resize(line.find_last_not_of(' ') + 1);
        if (!labelled) line.resize(std::max<std::size_t>(line.size(), 12), ' '), line[11] = '|';
        text += line + "\n";
    }
    std::string labels(12, ' ');
    for (int decade = across.lowest; decade <= across.highest; ++decade) {
        labels.resize(12 + columns_a_decade * static_cast<std::size_t>(decade - across.lowest), ' ');
        labels += fmt::format("{:g}", std::pow(10, decade));
    }
    text += labels + " servers\n";
    for (const Curve& curve : plot.curves) text += fmt::format("    {} {}\n", curve.mark, curve.name);
    return text;
}

void write_svg(const Plot& plot, const std::filesystem::path& file) {
    const Axis across = axis_for(plot.sizes);
    const Axis up = cost_axis(plot);
    std::ofstream out(file);
    out << fmt::format(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}")"
                       R"( font-family="sans-serif" font-size="12">)"
                       "\n"
                       R"(<rect width="{0:.0f}" height="{1:.0f}" fill="white"/>)"
                       R"(<text x="{2:.0f}" y="20" text-anchor="middle" font-size="14">{3}</text>)"
                       "\n",
                       width, height, width / 2, plot.title);
    out << svg_grid(across, up, plot.unit);
    double y = margin + 4;
    for (const Curve& curve : plot.curves) {
        out << svg_curve(plot, curve, across, up);
        out << fmt::format(R"(<text x="{:.0f}" y="{:.0f}" fill="{}">{}</text>)"
                           "\n",
                           margin + 10, y += 16, curve.colour, curve.name);
    }
    out << fmt::format(R"(<text x="{:.0f}" y="{:.0f}" text-anchor="middle">servers</text></svg>)"
                       "\n",
                       width / 2, height - 18);
}

}  // namespace left4me::bench
