#include "reconciler/cvars.hpp"

#include <charconv>

namespace left4me {
namespace {

std::optional<double> number(const std::string& text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

}  // namespace

bool is_same_value(const std::string& one, const std::string& other) {
    if (one == other) return true;
    const auto first = number(one);
    return first && first == number(other);
}

}  // namespace left4me
