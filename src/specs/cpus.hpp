#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace left4me {

/// Processors, by the kernel's numbers.
using Cpus = std::set<unsigned>;

inline constexpr unsigned max_cpu = 8191;

/// "0-3,8": numbers, and ranges from the lower to the higher one; at least one processor, none above max_cpu.
inline std::optional<Cpus> parse_cpus(std::string_view text) {
    Cpus cpus;
    const auto number = [&text]() -> std::optional<unsigned> {
        constexpr std::size_t digits = 4;
        std::size_t length = 0;
        unsigned value = 0;
        for (; length < text.size() && length <= digits && text[length] >= '0' && text[length] <= '9';
             ++length)
            value = value * 10 + static_cast<unsigned>(text[length] - '0');
        if (length == 0 || (length > 1 && text.front() == '0') || value > max_cpu) return std::nullopt;
        text.remove_prefix(length);
        return value;
    };
    for (;;) {
        const auto first = number();
        if (!first) return std::nullopt;
        auto last = first;
        if (text.starts_with('-')) {
            text.remove_prefix(1);
            last = number();
            if (!last || *last < *first) return std::nullopt;
        }
        for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.insert(cpu);
        if (text.empty()) return cpus;
        if (!text.starts_with(',')) return std::nullopt;
        text.remove_prefix(1);
    }
}

/// As parse_cpus() reads it, and as the kernel and systemd write it; empty for none.
inline std::string to_text(const Cpus& cpus) {
    std::string text;
    for (auto cpu = cpus.begin(); cpu != cpus.end();) {
        const unsigned first = *cpu;
        unsigned last = first;
        while (++cpu != cpus.end() && *cpu == last + 1) last = *cpu;
        if (!text.empty()) text += ',';
        text += std::to_string(first);
        if (last != first) text += '-' + std::to_string(last);
    }
    return text;
}

}  // namespace left4me
