#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>

#include "reconciler/draft.hpp"
#include "reconciler/layers.hpp"

namespace left4me::draft {
namespace {

using Releases = std::vector<std::pair<std::string, Verb>>;

/// Which artifacts are in use: permanently, or until some step of the drafts has ended.
class Usage {
  public:
    void add(const std::string& name, const ObservedServer& server, const TargetServer* target,
             const ServerDraft* draft) {
        const TargetRendering* const rendering =
            target != nullptr && target->rendering ? target->rendering->get() : nullptr;
        if (rendering != nullptr) keep(rendering->layers());
        // Kept until its source can be read again, because the source may then ask for any of them.
        if (target != nullptr && rendering == nullptr) keeps_all_overlays_ = true;
        if (server.stack() && !(rendering != nullptr && *server.stack() == rendering->layers())) {
            add_mounted(name, *server.stack(), draft);
        }
        if (server.current && !(rendering != nullptr && *server.current == rendering->digest())) {
            add_current(name, server, draft);
        }
    }

    bool keeps(std::string_view path) const { return kept_.contains(path); }

    /// Some server may next be started from a rendering whose overlays are unknown.
    bool keeps_all_overlays() const { return keeps_all_overlays_; }

    Releases released_by(std::string_view path) const {
        const auto found = released_.find(path);
        return found == released_.end() ? Releases{} : found->second;
    }

    /// Steps after which no rendering with unknown overlays is left.
    const Releases& unknown_released_by() const { return unknown_released_by_; }

  private:
    void keep(const std::vector<std::string>& layers) {
        for (const std::string& layer : layers) {
            if (const std::string_view path = artifact_path(layer); !path.empty()) kept_.insert(path);
        }
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
            keep(layers);
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
            if (known) keep(*layers);
            keeps_all_overlays_ = keeps_all_overlays_ || !known;
            return;
        }
        const Verb verb = renders ? Verb::Render : Verb::Unmanage;
        if (known) {
            release(*layers, name, verb);
        } else {
            unknown_released_by_.emplace_back(name, verb);
        }
    }

    std::unordered_set<std::string_view> kept_;
    std::map<std::string_view, Releases> released_;
    Releases unknown_released_by_;
    bool keeps_all_overlays_ = false;
};

Usage usage_of(const World& world, const std::vector<ServerDraft>& drafts) {
    Usage usage;
    auto draft = drafts.begin();  // both in the order of names; a server without a draft keeps what it has
    auto target = world.target.servers.begin();
    for (const auto& [name, server] : world.observed.servers) {
        while (draft != drafts.end() && draft->name < name) ++draft;
        while (target != world.target.servers.end() && target->first < name) ++target;
        const bool is_desired = target != world.target.servers.end() && target->first == name;
        const bool has_draft = draft != drafts.end() && draft->name == name;
        usage.add(name, server, is_desired ? &target->second : nullptr, has_draft ? &*draft : nullptr);
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

bool overlay_is_wanted(const World& world, const Path& path) {
    const auto overlay = world.target.overlays.find(path.name);
    if (overlay == world.target.overlays.end()) return false;
    // While the target is unknown, it may be any of them.
    return !overlay->second.artifact || *overlay->second.artifact == path.digest;
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

}  // namespace

std::vector<PruneDraft> plan_prune(const World& world, const std::vector<ServerDraft>& drafts) {
    if (suspension_of_all(world.intent.suspended, world.observed.now) != nullptr) return {};
    const Usage usage = usage_of(world, drafts);
    std::vector<PruneDraft> prunes;
    for (const std::string& digest : world.observed.artifacts) {
        const Path path = parse(digest);
        if (path.name.empty() || usage.keeps(digest)) continue;
        if (path.digest.starts_with('.')) {
            if (!is_worked_in(world, path.name)) prunes.push_back({{path.kind, path.name}, digest, {}});
            continue;
        }
        if (path.kind == Kind::Server && is_suspended(world, path.name)) continue;
        PruneDraft prune{{path.kind, path.name}, digest, {}};
        if (path.kind == Kind::Overlay) {
            if (usage.keeps_all_overlays() || overlay_is_wanted(world, path)) continue;
            prune.after = usage.unknown_released_by();
        } else {
            bool renders = false;
            if (rendering_is_wanted(world, path) || stays_current(world, path, drafts, renders)) continue;
            if (renders) prune.after.emplace_back(path.name, Verb::Render);
        }
        const Releases releases = usage.released_by(digest);
        prune.after.insert(prune.after.end(), releases.begin(), releases.end());
        prunes.push_back(std::move(prune));
    }
    return prunes;
}

}  // namespace left4me::draft
