#include "reconciler/target.hpp"

#include <fmt/format.h>

#include "reconciler/digest.hpp"
#include "specs/placeholders.hpp"

namespace left4me {
namespace {

/// A build that cannot say how it ended must not be begun again at once, for ever.
constexpr std::chrono::seconds unrecorded_delay{10};

TargetOverlay resolve_overlay(const std::shared_ptr<const Desired>& desired, const std::string& name,
                              const OverlaySource& source, const Inputs& inputs) {
    TargetOverlay overlay{{desired, &source}, std::unexpected(InputError{})};
    const auto input = inputs.overlays.find(name);
    if (input == inputs.overlays.end()) {
        overlay.artifact = std::unexpected(InputError{InputErrorKind::Source, "not observed"});
        return overlay;
    }
    overlay.build = input->second.build;
    overlay.rolled_back_to = input->second.rolled_back_to;
    if (input->second.error) {
        overlay.artifact = std::unexpected(*input->second.error);
    } else if (input->second.artifact) {
        overlay.artifact = *input->second.artifact;
    } else if (overlay.build && overlay.build->is_built()) {
        overlay.artifact = overlay.build->record.artifact->digest;
    } else if (overlay.build) {
        overlay.artifact = std::unexpected(InputError{InputErrorKind::Unbuilt, "it is not built yet"});
    }
    return overlay;
}

/// The layers below the instance layer.
std::expected<std::vector<std::string>, InputError> lower_layers(
    const DesiredServer& server, const std::map<std::string, TargetOverlay>& overlays) {
    std::vector<std::string> layers;
    layers.reserve(server.overlays.size() + 1);
    for (const std::string& name : server.artifacts()) {
        const auto overlay = overlays.find(name);
        if (overlay == overlays.end())
            return std::unexpected(
                InputError{InputErrorKind::Source, fmt::format("there is no overlay {}", name)});
        const std::string* const artifact = overlay->second.used();
        if (artifact == nullptr) {
            const InputError& error = overlay->second.artifact.error();
            return std::unexpected(InputError{
                error.kind,
                fmt::format("{} {}: {}", to_string(kind_of(*overlay->second.source)), name, error.message)});
        }
        layers.push_back(fmt::format("overlays/{}/{}", name, *artifact));
    }
    if (server.installation.empty()) layers.emplace_back("installation");
    return layers;
}

/// The texts of the configs that the server runs from its overlays, all of which have artifacts.
std::expected<std::vector<SharedText>, InputError> executed_configs(const DesiredServer& server,
                                                                    const Inputs& inputs) {
    std::vector<SharedText> texts;
    texts.reserve(server.execute_configs.size());
    for (const std::string& name : server.execute_configs) {
        const auto input = inputs.overlays.find(name);
        if (input == inputs.overlays.end() || !input->second.config)
            return std::unexpected(
                InputError{InputErrorKind::Source, fmt::format("overlay {}: its config was not read", name)});
        const auto& config = *input->second.config;
        if (!config) {
            return std::unexpected(
                InputError{config.error().kind, fmt::format("overlay {}: {}", name, config.error().message)});
        }
        texts.push_back(*config);
    }
    return texts;
}

std::expected<std::shared_ptr<const TargetRendering>, InputError> resolve_rendering(
    std::shared_ptr<const DesiredServer> server, const std::map<std::string, TargetOverlay>& overlays,
    const Inputs& inputs) {
    const auto lower = lower_layers(*server, overlays);
    if (!lower) return std::unexpected(lower.error());
    auto executed = executed_configs(*server, inputs);
    if (!executed) return std::unexpected(executed.error());
    bool secret = false;
    InputErrorKind kind = InputErrorKind::Secret;
    auto config = substitute_secrets(
        server->config, [&](const std::string& file) -> std::expected<std::string, std::string> {
            secret = true;
            const auto found = inputs.secrets.find(file);
            if (found == inputs.secrets.end())
                return std::unexpected(fmt::format("the secret {} was not read", file));
            if (!found->second) {
                kind = found->second.error().kind;
                return std::unexpected(found->second.error().message);
            }
            return *found->second;
        });
    if (!config) return std::unexpected(InputError{kind, config.error()});
    if (secret && !inputs.key) return std::unexpected(inputs.key.error());
    // Most servers' texts are the manifest's own and need not be stored twice.
    std::optional<std::string> text;
    if (*config != server->config) text = std::move(*config);
    const std::string_view key = secret ? std::string_view(*inputs.key) : std::string_view();
    return std::make_shared<const TargetRendering>(std::move(server), std::move(text), *lower, key,
                                                   std::move(*executed));
}

}  // namespace

std::optional<TimePoint> UnitBuild::unrecorded_retry(TimePoint now) const {
    // A clock that was set back makes nobody wait.
    if (!is_unrecorded() || now < *requested) return std::nullopt;
    const TimePoint due = *requested + unrecorded_delay;
    return now < due ? std::optional(due) : std::nullopt;
}

TargetRendering::TargetRendering(std::shared_ptr<const DesiredServer> server,
                                 std::optional<std::string> config, const std::vector<std::string>& lower,
                                 std::string_view key, std::vector<SharedText> executed)
    : server_(std::move(server)), config_(std::move(config)), executed_(std::move(executed)) {
    thread_local Digest digest;
    if (!key.empty()) digest.field(key);
    digest.field(environment()).field(this->config());
    // The names of artifacts cover the texts of the configs that are run from them, too.
    for (const std::string& layer : lower) digest.field(layer);
    // Last, and only if present: digests of version 0.1 stay the same.
    if (writable()) digest.field("writable").field(*writable());
    // The same text may be written by hand: then no config of an overlay is to be put into the layer.
    if (!execute_configs().empty()) digest.field("executeConfigs");
    for (const std::string& overlay : execute_configs()) digest.field(overlay);
    // Whether there are any, server.cfg shows. A game that can be told of another value keeps its rendering.
    if (!server_->cvars.empty() && !server_->has_console) digest.field("cvars").field(cvars());
    digest_ = digest.hex();
    layers_.reserve(lower.size() + 1);
    layers_.push_back(fmt::format("instances/{}/{}/layer", name(), digest_));
    layers_.insert(layers_.end(), lower.begin(), lower.end());
}

const TargetServer* Target::find(const std::string& server) const {
    const auto found = servers.find(server);
    return found == servers.end() ? nullptr : &found->second;
}

Target resolve(std::shared_ptr<const Desired> desired, const Inputs& inputs) {
    Target target;
    for (const auto& [name, source] : desired->overlays)
        target.overlays.emplace(name, resolve_overlay(desired, name, source, inputs));
    for (const auto& [name, server] : desired->servers) {
        target.servers.emplace(
            name, TargetServer{&server, resolve_rendering({desired, &server}, target.overlays, inputs)});
    }
    target.desired = std::move(desired);
    return target;
}

}  // namespace left4me
