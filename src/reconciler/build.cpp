#include "reconciler/build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace left4me {
namespace {

constexpr std::array all_kinds{
    BuildFailureKind::SourceUnavailable,
    BuildFailureKind::SourceChanged,
    BuildFailureKind::NoSpace,
    BuildFailureKind::IOError,
    BuildFailureKind::OutOfMemory,
    BuildFailureKind::TimedOut,
    BuildFailureKind::Killed,
};

}  // namespace

const char* to_string(BuildFailureKind kind) {
    switch (kind) {
        case BuildFailureKind::SourceUnavailable:
            return "SourceUnavailable";
        case BuildFailureKind::SourceChanged:
            return "SourceChanged";
        case BuildFailureKind::NoSpace:
            return "NoSpace";
        case BuildFailureKind::IOError:
            return "IOError";
        case BuildFailureKind::OutOfMemory:
            return "OutOfMemory";
        case BuildFailureKind::TimedOut:
            return "TimedOut";
        case BuildFailureKind::Killed:
            return "Killed";
    }
    return "";
}

std::optional<BuildFailureKind> parse_build_failure(std::string_view text) {
    for (const BuildFailureKind kind : all_kinds) {
        if (text == to_string(kind)) return kind;
    }
    return std::nullopt;
}

FailureKind failure_kind(BuildFailureKind kind) {
    switch (kind) {
        case BuildFailureKind::SourceUnavailable:
        case BuildFailureKind::IOError:
            return FailureKind::IOError;
        case BuildFailureKind::SourceChanged:
            return FailureKind::SourceChanged;
        case BuildFailureKind::NoSpace:
            return FailureKind::NoSpace;
        case BuildFailureKind::OutOfMemory:
            return FailureKind::OutOfMemory;
        case BuildFailureKind::TimedOut:
            return FailureKind::Timeout;
        case BuildFailureKind::Killed:
            return FailureKind::Signal;
    }
    return FailureKind::Unknown;
}

unsigned percent(const BuildProgress& progress) {
    if (progress.total_bytes == 0) return 0;
    return static_cast<unsigned>(
        100 * std::min(1.0, static_cast<double>(progress.bytes) / static_cast<double>(progress.total_bytes)));
}

std::string to_text(const BuildProgress& progress) {
    const bool large = progress.total_bytes >= 1ULL << 30U;
    const double unit = large ? 1U << 30U : 1U << 20U;
    return fmt::format("{} of {} files, {:.1f} of {:.1f} {}", progress.files, progress.total_files,
                       static_cast<double>(progress.bytes) / unit,
                       static_cast<double>(progress.total_bytes) / unit, large ? "GiB" : "MiB");
}

}  // namespace left4me
