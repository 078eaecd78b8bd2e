#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "reconciler/artifacts.hpp"
#include "reconciler/canary.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/layers.hpp"

namespace left4me::draft {
namespace {

using Releases = std::vector<std::pair<std::string, Verb>>;
using Keeps = std::vector<Keep>;

/// Which artifacts are in use: permanently, or until some step of the drafts has ended.
class Usage {
  public:
    /// `explains`: users() are told, too.
    explicit Usage(bool explains) : explains_(explains) {}

    void add(const std::string& name, const ObservedServer& server, const TargetServer* target,
             const ServerDraft* draft) {
        const TargetRendering* const rendering =
            target != nullptr && target->rendering ? target->rendering->get() : nullptr;
        if (rendering != nullptr) keep(rendering->layers(), name, KeepReason::Asked);
        // Kept until its source can be read again, because the source may then ask for any of them.
        if (target != nullptr && rendering == nullptr) keep_all_overlays(name);
        if (server.stack() && !(rendering != nullptr && *server.stack() == rendering->layers())) {
            add_mounted(name, *server.stack(), draft);
        } else if (server.stack() && explains_) {
            keep(*server.stack(), name, KeepReason::Mounted);
        }
        if (server.current && !(rendering != nullptr && *server.current == rendering->digest())) {
            add_current(name, server, draft);
        }
    }

    /// The server may return to this rendering.
    void add_fallback(const std::string& name, const std::vector<std::string>& layers) {
        keep(layers, name, KeepReason::Fallback);
    }

    bool keeps(std::string_view path) const { return kept_.contains(path); }
    Keeps users(std::string_view path) const {
        const auto found = users_.find(path);
        return found == users_.end() ? Keeps{} : found->second;
    }

    /// Some server may next be started from a rendering whose overlays are unknown.
    bool keeps_all_overlays() const { return keeps_all_overlays_; }
    const Keeps& users_of_all() const { return users_of_all_; }

    Releases released_by(std::string_view path) const {
        const auto found = released_.find(path);
        return found == released_.end() ? Releases{} : found->second;
    }

    /// Steps after which no rendering with unknown overlays is left.
    const Releases& unknown_released_by() const { return unknown_released_by_; }

  private:
    void keep(const std::vector<std::string>& layers, const std::string& name, KeepReason reason) {
        for (const std::string& layer : layers) {
            const std::string_view path = artifact_path(layer);
            if (path.empty()) continue;
            kept_.insert(path);
            if (explains_) users_[path].push_back({reason, name});
        }
    }

    void keep_all_overlays(const std::string& name) {
        keeps_all_overlays_ = true;
        if (explains_) users_of_all_.push_back({KeepReason::Unknown, name});
    }

    void release(const std::vector<std::string>& layers, const std::string& name, Verb verb) {
        for (const std::string& layer : layers) {
            if (const std::string_view path = artifact_path(layer); !path.empty()) {
                released_[path].emplace_back(name, verb);
            }
        }
    }

    void add_mounted(const std::string& name, const std::vector<std::string>& layers,
                     const ServerDraft* draft) {
        if (draft != nullptr && draft->has(Verb::Stop)) {
            release(layers, name, Verb::Stop);
        } else if (draft != nullptr && draft->has(Verb::Restart)) {
            release(layers, name, Verb::Restart);
        } else {
            keep(layers, name, KeepReason::Mounted);
        }
    }

    /// The overlays of a `current` that is not the target's rendering: the next start would use them, unless
    /// the drafts replace or remove it.
    void add_current(const std::string& name, const ObservedServer& server, const ServerDraft* draft) {
        const Layer top =
            server.stack() && !server.stack()->empty() ? parse_layer(server.stack()->front()) : Layer{};
        const bool mounted = top.kind == Layer::Kind::Rendering && top.digest == *server.current;
        const std::vector<std::string>* const layers = server.current_rendering
                                                           ? &server.current_rendering->layers
                                                       : mounted ? &*server.stack()
                                                                 : nullptr;
        const bool known = layers != nullptr;
        const bool renders = draft != nullptr && draft->has(Verb::Render);
        const bool unmanages = draft != nullptr && draft->has(Verb::Unmanage);
        if (!renders && !unmanages) {
            if (known) keep(*layers, name, KeepReason::NextStart);
            if (!known) keep_all_overlays(name);
            return;
        }
        const Verb verb = renders ? Verb::Render : Verb::Unmanage;
        if (known) {
            release(*layers, name, verb);
        } else {
            unknown_released_by_.emplace_back(name, verb);
        }
    }

    bool explains_;
    std::unordered_set<std::string_view> kept_;
    std::unordered_map<std::string_view, Keeps> users_;
    std::map<std::string_view, Releases> released_;
    Releases unknown_released_by_;
    bool keeps_all_overlays_ = false;
    Keeps users_of_all_;
};

/// The renderings to which the server may return if the change that it has, or gets, fails.
void add_fallbacks(const World& world, Usage& usage, const TargetServer& target,
                   const ObservedServer& server) {
    static const Remembered nothing;
    const DesiredServer& desired = *target.spec;
    if (!desired.blueprint_rollout.rollback_on_failure || desired.state != RunState::Running) return;
    const Remembered* const memory = world.memory.find(desired.name);
    const Trial& trial = (memory == nullptr ? nothing : *memory).trial;
    if (server.stack() && may_return_to(trial, rendering_in_use(server)))
        usage.add_fallback(desired.name, *server.stack());
    if (server.current_rendering && may_return_to(trial, *server.current))
        usage.add_fallback(desired.name, server.current_rendering->layers);
    for (const auto& [digest, rendering] : server.earlier) {
        if (may_return_to(trial, digest)) usage.add_fallback(desired.name, rendering.layers);
    }
}

Usage usage_of(const World& world, const std::vector<ServerDraft>& drafts, bool explains) {
    Usage usage(explains);
    auto draft = drafts.begin();  // both in the order of names; a server without a draft keeps what it has
    auto target = world.target.servers.begin();
    for (const auto& [name, server] : world.observed.servers) {
        while (draft != drafts.end() && draft->name < name) ++draft;
        while (target != world.target.servers.end() && target->first < name) ++target;
        const bool is_desired = target != world.target.servers.end() && target->first == name;
        const bool has_draft = draft != drafts.end() && draft->name == name;
        usage.add(name, server, is_desired ? &target->second : nullptr, has_draft ? &*draft : nullptr);
        if (is_desired) add_fallbacks(world, usage, target->second, server);
    }
    return usage;
}

struct Path {
    Kind kind = Kind::Overlay;
    std::string name;
    std::string_view digest;
};

/// `overlays/A/DIGEST` or `instances/N/DIGEST`.
Path parse(std::string_view path) {
    const std::size_t first = path.find('/');
    const std::size_t second = path.find('/', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return {};
    return {path.starts_with("instances/") ? Kind::Server : Kind::Overlay,
            std::string(path.substr(first + 1, second - first - 1)), path.substr(second + 1)};
}

Subject subject_of(const World& world, const Path& path) {
    if (path.kind == Kind::Server) return {path.kind, path.name};
    return {kind_of_artifacts(world.desired(), path.name), path.name};
}

/// Whether the source of the overlay asks for it; while that is unknown, it may be any of them.
std::optional<KeepReason> asked_by_source(const World& world, const Path& path) {
    const auto overlay = world.target.overlays.find(path.name);
    if (overlay == world.target.overlays.end()) return std::nullopt;
    if (!overlay->second.artifact) return KeepReason::Unknown;
    if (*overlay->second.artifact == path.digest) return KeepReason::Source;
    return std::nullopt;
}

bool is_rolled_back_to(const World& world, const Path& path) {
    const auto rollback = world.intent.rollbacks.find(path.name);
    return rollback != world.intent.rollbacks.end() && rollback->second.artifact == path.digest;
}

/// Of each overlay in the manifests, the artifacts that stay so that a person can roll back to them: those
/// that were built last, besides the one that its source asks for.
std::unordered_set<std::string_view> recent_artifacts(const World& world) {
    std::unordered_set<std::string_view> recent;
    if (world.target.keep_artifacts <= 1) return recent;
    std::map<std::string, std::vector<std::string_view>> others;
    for (const std::string& artifact : world.observed.artifacts) {
        const Path path = parse(artifact);
        if (path.kind != Kind::Overlay || path.digest.empty() || path.digest.starts_with('.')) continue;
        const auto overlay = world.target.overlays.find(path.name);
        if (overlay == world.target.overlays.end() || overlay->second.artifact == std::string(path.digest))
            continue;
        others[path.name].push_back(artifact);
    }
    const auto built = [&world](std::string_view artifact) {
        const auto found = world.observed.built.find(std::string(artifact));
        return found == world.observed.built.end() ? TimePoint{} : found->second;
    };
    for (auto& [name, artifacts] : others) {
        std::stable_sort(artifacts.begin(), artifacts.end(),
                         [&](std::string_view a, std::string_view b) { return built(a) > built(b); });
        artifacts.resize(std::min(artifacts.size(), world.target.keep_artifacts - 1));
        recent.insert(artifacts.begin(), artifacts.end());
    }
    return recent;
}

/// `overlays/A/.build` is needed for as long as a unit builds, or is to build the overlay.
bool is_worked_in(const World& world, const std::string& name) {
    const auto overlay = world.target.overlays.find(name);
    const bool is_wanted = overlay != world.target.overlays.end() && overlay->second.build;
    return is_wanted || world.observed.builds.contains(name);
}

/// Renderings of servers that the manifests do not name are not pruned: Unmanage removes them, or left4me
/// does not manage them.
bool rendering_is_wanted(const World& world, const Path& path) {
    const TargetServer* const server = world.target.find(path.name);
    return server == nullptr || !server->rendering || server->digest() == path.digest;
}

/// The next start still uses it, because the drafts do not render (drift is only reported).
bool stays_current(const World& world, const Path& path, const std::vector<ServerDraft>& drafts,
                   bool& renders) {
    const auto draft =
        std::lower_bound(drafts.begin(), drafts.end(), path.name,
                         [](const ServerDraft& one, const std::string& name) { return one.name < name; });
    renders = draft != drafts.end() && draft->name == path.name && draft->has(Verb::Render);
    return !renders && world.observed.servers.at(path.name).current == path.digest;
}

/// Decides about each artifact: for a pass, which only wants to know what goes, and for a person, who wants
/// to know why the others stay.
class Judge {
  public:
    Judge(const World& world, const std::vector<ServerDraft>& drafts, bool explains)
        : world_(world),
          drafts_(drafts),
          explains_(explains),
          usage_(usage_of(world, drafts, explains)),
          recent_(recent_artifacts(world)) {}

    /// nullopt: it stays. `keeps`: why; only if the judge explains.
    std::optional<PruneDraft> judge(const std::string& artifact, Keeps& keeps) const {
        const Path path = parse(artifact);
        if (path.name.empty()) return std::nullopt;
        PruneDraft prune{subject_of(world_, path), artifact, {}};
        const bool stays = path.digest.starts_with('.') ? keeps_workplace(path, keeps)
                           : path.kind == Kind::Overlay ? keeps_overlay(path, artifact, prune, keeps)
                                                        : keeps_rendering(path, artifact, prune, keeps);
        if (stays) return std::nullopt;
        const Releases releases = usage_.released_by(artifact);
        prune.after.insert(prune.after.end(), releases.begin(), releases.end());
        return prune;
    }

  private:
    bool keeps_workplace(const Path& path, Keeps& keeps) const {
        const bool stays = is_worked_in(world_, path.name);
        if (stays && explains_) keeps.push_back({KeepReason::Building, {}});
        return stays;
    }

    bool keeps_overlay(const Path& path, std::string_view artifact, PruneDraft& prune, Keeps& keeps) const {
        const bool is_used = usage_.keeps(artifact);
        const auto asked = asked_by_source(world_, path);
        const bool rolled_back_to = is_rolled_back_to(world_, path);
        const bool recent = recent_.contains(artifact);
        if (explains_) {
            keeps = usage_.users(artifact);
            if (rolled_back_to) keeps.push_back({KeepReason::RolledBack, {}});
            if (asked) keeps.push_back({*asked, {}});
            if (recent) keeps.push_back({KeepReason::Recent, {}});
            if (keeps.empty()) keeps = usage_.users_of_all();
        }
        prune.after = usage_.unknown_released_by();
        return is_used || asked || rolled_back_to || recent || usage_.keeps_all_overlays();
    }

    bool keeps_rendering(const Path& path, std::string_view artifact, PruneDraft& prune, Keeps& keeps) const {
        bool renders = false;
        const bool suspended = is_suspended(world_, path.name);
        const bool is_used = usage_.keeps(artifact);
        const bool stays = is_used || suspended || rendering_is_wanted(world_, path) ||
                           stays_current(world_, path, drafts_, renders);
        if (explains_ && stays) {
            keeps = usage_.users(artifact);
            if (suspended) keeps.push_back({KeepReason::Suspended, {}});
            if (keeps.empty()) keeps.push_back({KeepReason::NextStart, path.name});
        }
        if (renders) prune.after.emplace_back(path.name, Verb::Render);
        return stays;
    }

    const World& world_;
    const std::vector<ServerDraft>& drafts_;
    bool explains_;
    Usage usage_;
    std::unordered_set<std::string_view> recent_;
};

bool everything_is_suspended(const World& world) {
    return suspension_of_all(world.intent.suspended, world.observed.now) != nullptr;
}

}  // namespace

std::vector<PruneDraft> plan_prune(const World& world, const std::vector<ServerDraft>& drafts) {
    if (everything_is_suspended(world)) return {};
    const Judge judge(world, drafts, false);
    std::vector<PruneDraft> prunes;
    Keeps none;
    for (const std::string& artifact : world.observed.artifacts) {
        if (auto prune = judge.judge(artifact, none)) prunes.push_back(*std::move(prune));
    }
    return prunes;
}

std::vector<ArtifactVerdict> explain_prune(const World& world, const std::vector<ServerDraft>& drafts) {
    const bool suspended = everything_is_suspended(world);
    const Judge judge(world, drafts, true);
    std::vector<ArtifactVerdict> verdicts;
    for (const std::string& artifact : world.observed.artifacts) {
        const Path path = parse(artifact);
        if (path.name.empty()) continue;
        ArtifactVerdict verdict{subject_of(world, path), artifact, false, {}, {}};
        auto prune = judge.judge(artifact, verdict.keeps);
        if (prune && suspended) {
            verdict.keeps.push_back({KeepReason::Suspended, {}});
        } else if (prune) {
            verdict.goes = true;
            verdict.after = std::move(prune->after);
        }
        verdicts.push_back(std::move(verdict));
    }
    return verdicts;
}

}  // namespace left4me::draft
