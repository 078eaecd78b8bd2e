#include "adapters/cgroups/usage.hpp"

#include <charconv>
#include <string_view>

#include "adapters/files.hpp"
#include "adapters/lines.hpp"

namespace left4me::cgroups {

namespace {

/// Files of the kernel are short.
constexpr std::size_t longest_file = 65536;

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || (end != text.data() + text.size() && *end != '\n')) return std::nullopt;
    return number;
}

}  // namespace

Usage read_usage(const Paths& paths, const std::string& unit) {
    // Slice= of left4me-server@.service
    const auto group = paths.cgroups / "left4me.slice/left4me-game.slice" / unit;
    Usage usage;
    if (const auto stat = read_file(group / "cpu.stat", longest_file)) {
        constexpr std::string_view wanted = "usage_usec ";
        for (const std::string_view line : lines_of(*stat)) {
            if (!line.starts_with(wanted)) continue;
            if (const auto microseconds = number_of(line.substr(wanted.size())))
                usage.cpu = std::chrono::microseconds(static_cast<std::int64_t>(*microseconds));
        }
    }
    if (const auto current = read_file(group / "memory.current", longest_file))
        usage.memory_bytes = number_of(*current);
    return usage;
}

}  // namespace left4me::cgroups
