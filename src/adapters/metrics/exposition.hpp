#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace left4me {

/// Counts observations in buckets, for Prometheus.
class Histogram {
  public:
    /// `bounds`: increasing, without infinity; they must outlive the histogram.
    explicit Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1, 0) {}

    void observe(double value);

    std::span<const double> bounds() const { return bounds_; }
    std::uint64_t at_most(std::size_t bucket) const;
    std::uint64_t count() const { return count_; }
    double sum() const { return sum_; }

  private:
    std::span<const double> bounds_;
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

/// Writes Prometheus' text format, version 0.0.4: each family's samples directly after its HELP and TYPE.
class Exposition {
  public:
    using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

    /// `type`: counter, gauge or histogram.
    void family(std::string_view name, std::string_view type, std::string_view help);
    /// A sample of the current family.
    void sample(const Labels& labels, double value);
    void histogram(const Labels& labels, const Histogram& histogram);

    std::string take() { return std::move(text_); }

  private:
    void line(std::string_view suffix, const Labels& labels, double value);

    std::string name_;
    std::string text_;
};

}  // namespace left4me
