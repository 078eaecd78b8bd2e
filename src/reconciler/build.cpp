#include "reconciler/build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reconciler/digest.hpp"

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
    BuildFailureKind::ScriptFailed,
};

constexpr std::array all_phases{BuildPhase::Copying, BuildPhase::Downloading, BuildPhase::Unpacking,
                                BuildPhase::Running, BuildPhase::Updating};

/// "1.5 of 20.1 GiB", or "1.5 MiB" of nobody knows how much.
std::string bytes_text(std::uint64_t bytes, std::uint64_t total) {
    const bool large = std::max(bytes, total) >= 1ULL << 30U;
    const double unit = large ? 1U << 30U : 1U << 20U;
    const std::string of = total == 0 ? "" : fmt::format(" of {:.1f}", static_cast<double>(total) / unit);
    return fmt::format("{:.1f}{} {}", static_cast<double>(bytes) / unit, of, large ? "GiB" : "MiB");
}

void add(Digest& digest, const std::vector<std::string>& patterns) {
    digest.number(patterns.size());
    for (const std::string& pattern : patterns) digest.field(pattern);
}

}  // namespace

std::string fingerprint(const ArchiveSource& source) {
    Digest digest;
    digest.field("archive").field(source.sha256).field(source.into).number(source.strip_components);
    add(digest, source.exclude);
    return digest.hex();
}

std::string fingerprint(const GitSource& source) {
    Digest digest;
    digest.field("git").field(source.url).field(source.ref).field(source.path).field(source.into);
    add(digest, source.exclude);
    if (source.pin) digest.field("pin").field(source.pin->commit);
    if (!source.host_keys.empty()) add(digest.field("hostKeys"), source.host_keys);
    return digest.hex();
}

std::string fingerprint(const MapIndexSource& source) {
    Digest digest;
    digest.field("mapIndex").field(source.url).number(source.exclude.size());
    for (const std::string& pattern : source.exclude) digest.field(pattern);
    if (source.pin) {
        digest.field("pin").number(source.pin->maps.size());
        for (const auto& [name, map] : source.pin->maps) digest.field(name).number(map.size).field(map.md5);
    }
    return digest.hex();
}

std::string fingerprint(const WorkshopSource& source) {
    Digest digest;
    digest.field("workshop");
    for (const auto* list : {&source.items, &source.collections, &source.exclude}) {
        digest.number(list->size());
        for (const std::string& id : *list) digest.field(id);
    }
    if (source.pin) {
        digest.field("pin").number(source.pin->items.size());
        for (const auto& [id, item] : source.pin->items)
            digest.field(id).number(item.updated).number(item.size).field(item.sha256);
    }
    return digest.hex();
}

std::string fingerprint(const SteamSource& source) {
    Digest digest;
    digest.field("steam").field(source.build);
    if (source.pin) digest.field("pin").field(source.pin->build);
    return digest.hex();
}

std::string fingerprint(const ScriptSource& source) {
    Digest digest;
    digest.field("script").field(source.run).field(to_string(source.network));
    digest.number(static_cast<std::uint64_t>(source.timeout.count()));
    digest.number(source.memory).number(source.disk);
    return digest.hex();
}

bool runs_script(const OverlaySource& source) { return std::holds_alternative<ScriptSource>(source); }

const char* to_string(BuildPhase phase) {
    switch (phase) {
        case BuildPhase::Copying:
            return "Copying";
        case BuildPhase::Downloading:
            return "Downloading";
        case BuildPhase::Unpacking:
            return "Unpacking";
        case BuildPhase::Running:
            return "Running";
        case BuildPhase::Updating:
            return "Updating";
    }
    return "";
}

std::optional<BuildPhase> parse_build_phase(std::string_view text) {
    for (const BuildPhase phase : all_phases) {
        if (text == to_string(phase)) return phase;
    }
    return std::nullopt;
}

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
        case BuildFailureKind::ScriptFailed:
            return "ScriptFailed";
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
        case BuildFailureKind::ScriptFailed:
            return FailureKind::ExitCode;
    }
    return FailureKind::Unknown;
}

unsigned percent(const BuildProgress& progress) {
    double part = 0;
    if (progress.total_bytes > 0)
        part = std::min(1.0, static_cast<double>(progress.bytes) / static_cast<double>(progress.total_bytes));
    if (progress.items == 0) return static_cast<unsigned>(100 * part);
    const double whole = static_cast<double>(progress.item) - 1;
    return static_cast<unsigned>(100 *
                                 std::clamp((whole + part) / static_cast<double>(progress.items), 0.0, 1.0));
}

std::string to_text(const BuildProgress& progress) {
    if (progress.items > 0) {
        BuildProgress one = progress;
        one.items = 0;
        return fmt::format("{} ({} of {}): {}", progress.item_name, progress.item, progress.items,
                           to_text(one));
    }
    const std::string bytes = bytes_text(progress.bytes, progress.total_bytes);
    switch (progress.phase) {
        case BuildPhase::Copying:
            if (progress.total_files == 0) return "copying, " + bytes;
            return fmt::format("{} of {} files, {}", progress.files, progress.total_files, bytes);
        case BuildPhase::Downloading:
            return "downloading, " + bytes;
        case BuildPhase::Unpacking:
            return fmt::format("unpacking, {} files, {} of what was downloaded", progress.files, bytes);
        case BuildPhase::Updating:
            return "steamcmd works, " + bytes;
        case BuildPhase::Running: {
            const auto minutes = progress.elapsed.count() / 60;
            return minutes > 0 ? fmt::format("running its script, {} m", minutes)
                               : fmt::format("running its script, {} s", progress.elapsed.count());
        }
    }
    return "";
}

}  // namespace left4me
