#include <fmt/format.h>

#include <algorithm>

#include "reconciler/draft.hpp"
#include "reconciler/layers.hpp"

namespace left4me::draft {
namespace {

/// The overlay at fault is named if there is one: its message alone would not tell where to look.
std::string why_unknown(const World& world, const DesiredServer& desired, const ObservedServer& observed) {
    for (const std::string& overlay : desired.overlays) {
        const auto found = world.observed.overlays.find(overlay);
        if (found == world.observed.overlays.end() || found->second.wanted) continue;
        return fmt::format("overlay {}: {}", overlay, found->second.wanted.error());
    }
    return observed.wanted.error();
}

bool mounted_is_current(const ObservedServer& observed) {
    if (!observed.stack() || observed.stack()->empty() || !observed.current) return false;
    const Layer top = parse_layer(observed.stack()->front());
    return top.kind == Layer::Kind::Rendering && top.generation == *observed.current;
}

std::string why_render(const DesiredServer& desired, const ObservedServer& observed) {
    const WantedRendering& wanted = *observed.wanted;
    if (!observed.current) return "never rendered";
    if (*observed.current != wanted.generation) {
        // What runs was started from the rendering that is out of date, so its stack tells what changed.
        if (mounted_is_current(observed)) return describe_mounted(desired, observed);
        return fmt::format("the rendering is out of date ({})",
                           short_change(*observed.current, wanted.generation));
    }
    if (std::find(observed.damaged.begin(), observed.damaged.end(), ".") != observed.damaged.end()) {
        return "the rendering was removed";
    }
    std::string files;
    for (const std::string& file : observed.damaged) files += (files.empty() ? "" : ", ") + file;
    return fmt::format("{} {} edited or removed by hand", files,
                       observed.damaged.size() == 1 ? "was" : "were");
}

}  // namespace

bool plan_rendering(const World& world, ServerDraft& draft) {
    const ObservedServer& observed = *draft.observed;
    if (!observed.wanted) {
        draft.steps.push_back(
            {Verb::Hold, why_unknown(world, *draft.desired, observed), {}, code::source_unavailable});
        return observed.current.has_value();
    }
    const std::string& generation = observed.wanted->generation;
    if (observed.current != generation || !observed.damaged.empty()) {
        draft.steps.push_back({Verb::Render, why_render(*draft.desired, observed), generation, {}});
    }
    return true;
}

std::string describe_mounted(const DesiredServer& desired, const ObservedServer& observed) {
    if (!observed.stack()) return "nothing is mounted";
    if (!observed.wanted) return "another stack is mounted";
    const std::vector<std::string>& stack = *observed.stack();
    std::string sentence;
    const std::string overlays = describe_overlay_changes(stack, observed.wanted->layers);
    if (!overlays.empty()) sentence = fmt::format("layers differ ({})", overlays);

    const bool other_rendering =
        stack.empty() || observed.wanted->layers.empty() || stack.front() != observed.wanted->layers.front();
    if (!other_rendering) return sentence.empty() ? "the mounted stack differs" : sentence;
    const bool instance_layer = !stack.empty() && parse_layer(stack.front()).kind == Layer::Kind::Rendering;
    std::string rendering;
    if (!instance_layer) {
        rendering = "the instance layer is not mounted";
    } else if (!observed.mounted_environment) {
        rendering = sentence.empty() ? "the rendering changed" : "";
    } else if (*observed.mounted_environment != desired.environment) {
        rendering = observed.mounted_port && *observed.mounted_port != desired.port
                        ? fmt::format("port {} → {}", *observed.mounted_port, desired.port)
                        : "arguments changed";
    } else if (observed.mounted_writable != desired.writable) {
        rendering = "what the game may keep changed";
    } else if (sentence.empty()) {
        rendering = "server.cfg changed";  // nothing else is left that could have changed the rendering
    }
    if (rendering.empty()) return sentence;
    return sentence.empty() ? rendering : fmt::format("{}, {}", sentence, rendering);
}

}  // namespace left4me::draft
