#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "reconciler/backoff.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/layers.hpp"
#include "specs/writable.hpp"

namespace left4me::draft {
namespace {

bool mounted_is_current(const ObservedServer& observed) {
    if (!observed.stack() || observed.stack()->empty() || !observed.current) return false;
    const Layer top = parse_layer(observed.stack()->front());
    return top.kind == Layer::Kind::Rendering && top.digest == *observed.current;
}

std::string why_render(const World& world, const ServerDraft& draft) {
    const TargetServer& target = *draft.target;
    const ObservedServer& observed = *draft.observed;
    if (!observed.current) return "never rendered";
    if (*observed.current != target.digest()) {
        // The running server was started from the outdated rendering, so its stack shows what changed.
        if (mounted_is_current(observed)) return describe_mounted(target, observed);
        return fmt::format("the rendering is out of date ({})",
                           short_change(*observed.current, target.digest()));
    }
    if (std::find(observed.damaged.begin(), observed.damaged.end(), ".") != observed.damaged.end()) {
        return "the rendering was removed";
    }
    if (!nothing_was_changed(world, draft) &&
        observed.damaged == std::vector{fmt::format("layer/{}", cvars_config)})
        return "cvars changed";
    std::string files;
    for (const std::string& file : observed.damaged) files += (files.empty() ? "" : ", ") + file;
    return fmt::format("{} {} edited or removed by hand", files,
                       observed.damaged.size() == 1 ? "was" : "were");
}

/// The first overlay or Installation that a unit has yet to build.
std::optional<std::string> unbuilt_overlay(const World& world, const ServerDraft& draft) {
    for (const std::string& name : draft.target->spec->artifacts()) {
        const auto overlay = world.target.overlays.find(name);
        if (overlay == world.target.overlays.end() || overlay->second.used() != nullptr) continue;
        if (overlay->second.is_unbuilt()) return name;
    }
    return std::nullopt;
}

/// Why it cannot be told what the server should look like.
Step why_unknown(const World& world, const ServerDraft& draft) {
    const InputError& error = draft.target->rendering.error();
    const auto overlay = error.kind == InputErrorKind::Unbuilt ? unbuilt_overlay(world, draft) : std::nullopt;
    if (!overlay) return {Verb::Hold, error.message, {}, hold_reason(error.kind)};
    const std::string owner = artifact_owner(world.desired(), *overlay);
    if (world.observed.builds.contains(*overlay))
        return {Verb::Hold, owner + " is being built", {}, HoldReason::Building};
    if (const Backoff* const backoff = build_backoff(world, *overlay))
        return {Verb::Hold, fmt::format("{} {}", owner, backoff_text(*backoff)), {}, HoldReason::BackOff};
    const UnitBuild& build = *world.target.overlays.at(*overlay).build;
    if (const auto due = unrecorded_retry(world, build))
        return {Verb::Hold,
                fmt::format("the build of {} ended without a record; the next try is at {}", owner,
                            clock_text(*due)),
                {},
                HoldReason::BackOff};
    if (build.is_canceled())
        return {
            Verb::Hold, fmt::format("the build of {} was canceled", owner), {}, HoldReason::BuildCanceled};
    return {Verb::Hold, owner + " is not built yet", {}, HoldReason::Building};
}

/// Why the target's rendering cannot be written yet; empty: it can.
std::string why_not_yet(const World& world, const ServerDraft& draft) {
    for (const std::string& overlay : draft.target->spec->artifacts()) {
        if (!is_unwritten(world, overlay)) continue;
        if (const Backoff* const backoff = build_backoff(world, overlay))
            return fmt::format("{} {}", artifact_owner(world.desired(), overlay), backoff_text(*backoff));
    }
    const Backoff* const backoff = render_backoff(world, draft);
    return backoff == nullptr ? std::string() : backoff_text(*backoff);
}

bool is_to_be_started(const ServerDraft& draft) {
    return draft.target->spec->state == RunState::Running && !is_up(draft.observed->unit.active);
}

}  // namespace

HoldReason hold_reason(InputErrorKind kind) {
    switch (kind) {
        case InputErrorKind::Source:
        case InputErrorKind::Secret:
            return HoldReason::SourceUnavailable;
        case InputErrorKind::Unread:
            return HoldReason::ReadingSource;
        case InputErrorKind::Unbuilt:
            return HoldReason::Building;
    }
    return HoldReason::SourceUnavailable;
}

bool is_usable(const World& world, const std::vector<std::string>& layers) {
    return !layers.empty() && std::all_of(layers.begin(), layers.end(), [&world](const std::string& layer) {
        const Layer::Kind kind = parse_layer(layer).kind;
        return kind != Layer::Kind::Foreign &&
               (kind != Layer::Kind::Overlay || world.observed.artifacts.contains(layer));
    });
}

bool plan_rendering(const World& world, ServerDraft& draft) {
    const ObservedServer& observed = *draft.observed;
    const std::vector<std::string>* const layers = draft.current_layers();
    draft.usable = layers != nullptr && is_usable(world, *layers);
    if (!draft.target->rendering) {
        draft.as_is = true;
        draft.steps.push_back(why_unknown(world, draft));
        return draft.usable;
    }
    const std::string& digest = (*draft.target->rendering)->digest();
    const bool differs = observed.current != digest || !observed.damaged.empty();
    if (differs || is_to_be_started(draft)) {
        if (std::string why = why_not_yet(world, draft); !why.empty()) {
            draft.as_is = true;
            draft.steps.push_back({Verb::Hold, std::move(why), {}, HoldReason::BackOff});
            return draft.usable;
        }
    }
    if (!differs) return true;
    draft.steps.push_back({Verb::Render, why_render(world, draft), digest, {}});
    return true;
}

std::string why_as_is(const World& world, const ServerDraft& draft) {
    if (draft.back_to != nullptr) return "; with its last healthy rendering";
    if (draft.target->rendering || draft.target->rendering.error().kind != InputErrorKind::Unbuilt) return {};
    const auto overlay = unbuilt_overlay(world, draft);
    if (!overlay) return {};
    return fmt::format("; with its last rendering, for {} is not built yet",
                       artifact_owner(world.desired(), *overlay));
}

std::string describe_mounted(const TargetServer& target, const ObservedServer& observed) {
    if (!observed.stack()) return "nothing is mounted";
    if (!target.rendering) return "another stack is mounted";
    const std::vector<std::string>& layers = (*target.rendering)->layers();
    const std::vector<std::string>& stack = *observed.stack();
    std::string sentence;
    const std::string overlays = describe_overlay_changes(stack, layers);
    if (!overlays.empty()) sentence = fmt::format("layers differ ({})", overlays);

    const bool other_rendering = stack.empty() || stack.front() != layers.front();
    if (!other_rendering) return sentence.empty() ? "the mounted stack differs" : sentence;
    const bool instance_layer = !stack.empty() && parse_layer(stack.front()).kind == Layer::Kind::Rendering;
    std::string rendering;
    if (!instance_layer) {
        rendering = "the instance layer is not mounted";
    } else if (!observed.mounted_environment) {
        rendering = sentence.empty() ? "the rendering changed" : "";
    } else if (*observed.mounted_environment != target.spec->environment) {
        rendering = observed.mounted_port && *observed.mounted_port != target.spec->port
                        ? fmt::format("port {} → {}", *observed.mounted_port, target.spec->port)
                        : "arguments changed";
    } else if (observed.mounted_writable != target.spec->writable) {
        rendering = "what the game may keep changed";
    } else if (sentence.empty()) {
        // Nothing else can have changed the rendering.
        const bool has_cvars = !target.spec->cvars.empty() && !target.spec->has_console;
        rendering = has_cvars ? "server.cfg or cvars changed" : "server.cfg changed";
    }
    if (rendering.empty()) return sentence;
    return sentence.empty() ? rendering : fmt::format("{}, {}", sentence, rendering);
}

}  // namespace left4me::draft
