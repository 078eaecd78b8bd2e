#include "operations/artifacts.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "operations/build_view.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

std::optional<store::ArtifactInfo> info_of(const Seen& seen, const std::string& overlay,
                                           const std::string& digest) {
    const Fd directory(
        ::open((seen.paths.overlays() / overlay).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return directory ? store::read_info(directory.get(), digest) : std::nullopt;
}

/// Which of them servers are to have, and which one they would have.
std::string remark(const Seen& seen, const std::string& overlay, const std::string& digest) {
    const auto rollback = seen.intent.rollbacks.find(overlay);
    if (rollback != seen.intent.rollbacks.end() && rollback->second.artifact == digest)
        return "rolled back to";
    const auto target = seen.target.overlays.find(overlay);
    if (target == seen.target.overlays.end() || target->second.artifact != digest) return "";
    return "what its source asks for";
}

}  // namespace

std::vector<Artifact> artifacts_of(const Seen& seen, const std::string& overlay) {
    std::vector<Artifact> artifacts;
    const std::string prefix = "overlays/" + overlay + "/";
    for (auto found = seen.observed.built.lower_bound(prefix);
         found != seen.observed.built.end() && found->first.starts_with(prefix); ++found) {
        const std::string digest = found->first.substr(prefix.size());
        artifacts.push_back({digest, found->second, info_of(seen, overlay, digest)});
    }
    std::stable_sort(artifacts.begin(), artifacts.end(),
                     [](const Artifact& a, const Artifact& b) { return a.built > b.built; });
    return artifacts;
}

std::optional<store::ArtifactInfo> artifact_info(const Seen& seen, const std::string& path) {
    if (!seen.observed.built.contains(path)) return std::nullopt;
    const std::size_t first = path.find('/') + 1;
    const std::size_t second = path.find('/', first);
    return info_of(seen, path.substr(first, second - first), path.substr(second + 1));
}

std::optional<store::ArtifactInfo> info_in_use(const Seen& seen, const std::string& overlay) {
    return artifact_info(seen, fmt::format("overlays/{}/{}", overlay, usable_generation(seen, overlay)));
}

std::string rounded_size(std::uint64_t bytes) {
    constexpr std::array<const char*, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
    constexpr double step = 1024;
    if (bytes < 1024) return fmt::format("{} bytes", bytes);
    double size = static_cast<double>(bytes) / step;
    std::size_t unit = 0;
    for (; size >= step && unit + 1 < units.size(); ++unit) size /= step;
    return fmt::format("{:.1f} {}", size, units.at(unit));
}

std::string rounded_size(const std::optional<store::ArtifactInfo>& info) {
    return info ? rounded_size(info->bytes) : "-";
}

std::string shared_text(const std::optional<store::ArtifactInfo>& info) {
    return info ? rounded_size(info->shared_bytes) : "-";
}

std::string artifacts_text(const Seen& seen, const std::string& overlay) {
    std::string text;
    for (const Artifact& artifact : artifacts_of(seen, overlay)) {
        const std::string more = remark(seen, overlay, artifact.digest);
        const std::string sizes = artifact.info
                                      ? fmt::format(", {} ({} shared)", rounded_size(artifact.info->bytes),
                                                    rounded_size(artifact.info->shared_bytes))
                                      : "";
        text +=
            fmt::format("{}  built {} ago{}{}{}\n", artifact.digest,
                        age_text(artifact.built, seen.observed.now), sizes, more.empty() ? "" : "; ", more);
    }
    return text;
}

Json artifact_json(const Artifact& artifact) {
    const auto number = [&artifact](std::uint64_t store::ArtifactInfo::* field) {
        return artifact.info ? Json((*artifact.info).*field) : Json(nullptr);
    };
    return {{"artifact", artifact.digest},
            {"built", time_text(artifact.built)},
            {"files", number(&store::ArtifactInfo::files)},
            {"bytes", number(&store::ArtifactInfo::bytes)},
            {"sharedBytes", number(&store::ArtifactInfo::shared_bytes)}};
}

std::string items_text(const std::optional<store::ArtifactInfo>& info) {
    std::string text;
    if (!info) return text;
    for (const auto& [id, title] : info->titles)
        text += fmt::format("{:<12} {}\n", id, printable_line(title));
    return text;
}

Json items_json(const std::optional<store::ArtifactInfo>& info) {
    Json items = Json::array();
    if (!info) return items;
    for (const auto& [id, title] : info->titles) items.push_back({{"id", id}, {"title", title}});
    return items;
}

Json rollback_json(const Seen& seen, const std::string& overlay) {
    const auto rollback = seen.intent.rollbacks.find(overlay);
    if (rollback == seen.intent.rollbacks.end()) return nullptr;
    return {{"artifact", rollback->second.artifact},
            {"by", rollback->second.by},
            {"at", time_text(rollback->second.at)},
            {"reason", rollback->second.reason}};
}

}  // namespace left4me::operations
