#include "adapters/metrics/exposition.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace left4me {

namespace {

/// In a label's value, quotation marks, backslashes and line feeds are escaped.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\n') {
            result += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') result += '\\';
        result += c;
    }
    return result;
}

std::string braces(const Exposition::Labels& labels) {
    if (labels.empty()) return {};
    std::string text;
    for (const auto& [name, value] : labels)
        text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escaped(value));
    return "{" + text + "}";
}

}  // namespace

void Histogram::observe(double value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    ++counts_[static_cast<std::size_t>(bucket)];
    ++count_;
    sum_ += value;
}

std::uint64_t Histogram::at_most(std::size_t bucket) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= bucket; ++i) total += counts_[i];
    return total;
}

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Exposition::line(std::string_view suffix, const Labels& labels, double value) {
    text_ += fmt::format("{}{}{} {}\n", name_, suffix, braces(labels), value);
}

void Exposition::sample(const Labels& labels, double value) { line("", labels, value); }

void Exposition::histogram(const Labels& labels, const Histogram& histogram) {
    for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
        Labels bucket = labels;
        const std::string bound = fmt::format("{}", histogram.bounds()[i]);
        bucket.emplace_back("le", bound);
        line("_bucket", bucket, static_cast<double>(histogram.at_most(i)));
    }
    Labels all = labels;
    all.emplace_back("le", "+Inf");
    line("_bucket", all, static_cast<double>(histogram.count()));
    line("_sum", labels, histogram.sum());
    line("_count", labels, static_cast<double>(histogram.count()));
}

}  // namespace left4me
