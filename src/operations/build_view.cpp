#include "operations/build_view.hpp"

#include <fmt/format.h>

#include "adapters/store/build_files.hpp"
#include "adapters/store/state_files.hpp"
#include "reconciler/backoff.hpp"

namespace left4me::operations {

namespace {

const TargetOverlay* find_overlay(const Seen& seen, const std::string& name) {
    const auto found = seen.target.overlays.find(name);
    return found == seen.target.overlays.end() ? nullptr : &found->second;
}

const ObservedBuild* find_build(const View& view, const std::string& name) {
    const auto found = view.observed.builds.find(name);
    return found == view.observed.builds.end() ? nullptr : &found->second;
}

/// nullptr: it is not being built, or has only begun.
const BuildProgress* find_progress(const View& view, const std::string& name) {
    const ObservedBuild* const build = find_build(view, name);
    return build != nullptr && build->progress ? &*build->progress : nullptr;
}

const BuildFailure* find_failure(const View& view, const std::string& name) {
    const TargetOverlay* const overlay = find_overlay(view, name);
    if (overlay == nullptr || !overlay->build || !overlay->build->record.failure) return nullptr;
    return &*overlay->build->record.failure;
}

const Backoff* find_backoff(const View& view, const std::string& name) {
    const auto found = view.status.overlays.find(name);
    return found == view.status.overlays.end() ? nullptr : &found->second;
}

/// Why it is not known which artifact the overlay needs.
std::string input_error(const View& view, const std::string& name) {
    const TargetOverlay* const overlay = find_overlay(view, name);
    return overlay == nullptr || overlay->artifact ? "not looked at" : overlay->artifact.error().message;
}

Json progress_json(const BuildProgress& progress) {
    return {{"phase", to_string(progress.phase)},
            {"bytes", progress.bytes},
            {"totalBytes", progress.total_bytes},
            {"files", progress.files},
            {"totalFiles", progress.total_files},
            {"item", progress.item},
            {"items", progress.items},
            {"itemName", progress.item_name},
            {"seconds", progress.elapsed.count()}};
}

}  // namespace

const char* to_string(BuildState state) {
    switch (state) {
        case BuildState::Built:
            return "Built";
        case BuildState::Building:
            return "Building";
        case BuildState::Waiting:
            return "Waiting";
        case BuildState::Failed:
            return "Failed";
        case BuildState::Canceled:
            return "Canceled";
        case BuildState::Reading:
            return "Reading";
        case BuildState::Unavailable:
            return "Unavailable";
    }
    return "?";
}

BuildState build_state(const View& view, const std::string& name) {
    if (find_build(view, name) != nullptr) return BuildState::Building;
    const TargetOverlay* const overlay = find_overlay(view, name);
    if (overlay == nullptr) return BuildState::Unavailable;
    if (overlay->artifact) {
        const bool there = view.observed.artifacts.contains("overlays/" + name + "/" + *overlay->artifact);
        return there ? BuildState::Built : BuildState::Waiting;
    }
    switch (overlay->artifact.error().kind) {
        case InputErrorKind::Source:
        case InputErrorKind::Secret:
            return BuildState::Unavailable;
        case InputErrorKind::Unread:
            return BuildState::Reading;
        case InputErrorKind::Unbuilt:
            break;
    }
    if (overlay->build->is_canceled()) return BuildState::Canceled;
    const Backoff* const backoff = find_backoff(view, name);
    const bool failed = backoff != nullptr && backoff->spec_hash == overlay->build->input;
    return failed ? BuildState::Failed : BuildState::Waiting;
}

std::string progress_word(const BuildProgress& progress) {
    if (progress.phase == BuildPhase::Running) return "running";
    const char* const word = progress.phase == BuildPhase::Downloading ? "downloading" : "building";
    const bool known = progress.total_bytes > 0 || progress.items > 0;
    return known ? fmt::format("{} {}%", word, percent(progress)) : std::string(word);
}

std::optional<BuildProgress> progress_of_build(const Paths& paths, const std::string& overlay) {
    const Fd directory = store::open_build_directory(paths, overlay);
    return directory ? store::read_progress(directory.get()) : std::nullopt;
}

std::string build_word(const View& view, const std::string& name) {
    switch (build_state(view, name)) {
        case BuildState::Built:
            return "yes";
        case BuildState::Building: {
            const BuildProgress* const progress = find_progress(view, name);
            return progress != nullptr ? progress_word(*progress) : "building";
        }
        case BuildState::Waiting:
            return "no";
        case BuildState::Failed:
            return "failed";
        case BuildState::Canceled:
            return "canceled";
        case BuildState::Reading:
            return "reading";
        case BuildState::Unavailable:
            return "error";
    }
    return "?";
}

std::string build_text(const View& view, const std::string& name) {
    switch (build_state(view, name)) {
        case BuildState::Built:
            return "built";
        case BuildState::Building: {
            const BuildProgress* const progress = find_progress(view, name);
            return "under way" + (progress != nullptr ? ": " + to_text(*progress) : std::string());
        }
        case BuildState::Waiting:
            return "not built yet";
        case BuildState::Failed: {
            const BuildFailure* const failure = find_failure(view, name);
            const Backoff& backoff = *find_backoff(view, name);
            return fmt::format("{}; the last time: {}{}", backoff_text(backoff), backoff.message,
                               failure == nullptr ? "" : fmt::format(" ({})", to_string(failure->kind)));
        }
        case BuildState::Canceled:
            return fmt::format(
                "canceled; sudo l4d2ctl reconcile begins it again, another content does so too");
        case BuildState::Reading:
            return input_error(view, name);
        case BuildState::Unavailable:
            return "cannot be told: " + input_error(view, name);
    }
    return "?";
}

Json build_json(const View& view, const std::string& name) {
    Json json{{"state", to_string(build_state(view, name))}};
    if (const BuildProgress* const progress = find_progress(view, name))
        json["progress"] = progress_json(*progress);
    if (const BuildFailure* const failure = find_failure(view, name)) {
        json["failure"] = {{"reason", to_string(failure->kind)},
                           {"message", failure->message},
                           {"failures", failure->failures},
                           {"at", time_to_json(failure->at)}};
    }
    return json;
}

std::string usable_generation(const Seen& seen, const std::string& name) {
    const TargetOverlay* const overlay = find_overlay(seen, name);
    if (overlay == nullptr) return {};
    if (const std::string* const used = overlay->used()) return *used;
    if (overlay->build && overlay->build->record.artifact) return overlay->build->record.artifact->digest;
    return {};
}

std::string built_revision(const View& view, const std::string& name) {
    const TargetOverlay* const overlay = find_overlay(view, name);
    if (overlay == nullptr || !overlay->build || !overlay->build->record.artifact) return {};
    return overlay->build->record.artifact->revision;
}

}  // namespace left4me::operations
