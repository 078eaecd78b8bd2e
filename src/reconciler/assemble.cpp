#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <numeric>
#include <string_view>

#include "reconciler/crashes.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/health.hpp"

namespace left4me::draft {
namespace {

using Id = std::size_t;
constexpr Id none = static_cast<Id>(-1);
constexpr std::size_t verbs = static_cast<std::size_t>(Verb::Report) + 1;
using Ids = std::array<Id, verbs>;

/// The order of a plan; every `after` points from a higher to a lower rank.
int rank(Verb verb) {
    switch (verb) {
        case Verb::Tune:  // what starts after it has its settings
        case Verb::Build:
        case Verb::Cancel:
        case Verb::Refresh:
            return 0;
        case Verb::Render:
        case Verb::Revert:
            return 1;
        case Verb::Enable:
            return 2;
        case Verb::Disable:
            return 3;
        case Verb::Stop:
            return 4;
        case Verb::ResetFailed:
            return 5;
        case Verb::Purge:
            return 6;
        case Verb::Start:
            return 7;
        case Verb::Restart:
            return 8;
        case Verb::Attach:
            return 9;
        case Verb::Unmanage:
            return 10;
        case Verb::Prune:
            return 11;
        case Verb::Warn:
            return 12;
        case Verb::Command:
            return 13;
        case Verb::Set:
            return 14;
        case Verb::Hold:
            return 15;
        case Verb::Report:
            return 16;
    }
    return 17;
}

/// Gives every step an id, records which step must wait for which, and sorts them at the end.
class Assembly {
  public:
    void add_tuning(const World& world, const TuningDraft& draft) {
        const Id id = add({Kind::Host, host_name}, draft.step);
        actions_[id].drift = draft.drift;
        if (draft.step.verb == Verb::Tune)
            actions_[id].tuning =
                std::shared_ptr<const Tuning>(world.target.desired, &world.desired().tuning);
    }

    void add_overlay(const World& world, OverlayDraft draft) {
        const Id id =
            add({kind_of_artifacts(world.desired(), draft.name), draft.name}, std::move(draft.step));
        if (actions_[id].verb != Verb::Build) return;
        const TargetOverlay& overlay = world.target.overlays.at(draft.name);
        actions_[id].source = overlay.source;
        // Nothing waits for a build whose result it does not get.
        if (!overlay.rolled_back_to) builds_.emplace(std::move(draft.name), id);
    }

    void add_server(const World& world, const ServerDraft& draft) {
        Ids& ids = servers_[draft.name];
        ids.fill(none);
        const bool drift = is_drift(world, draft);
        for (const Step& step : draft.steps) {
            const Id id = add({Kind::Server, draft.name}, step);
            ids[static_cast<std::size_t>(step.verb)] = id;
            actions_[id].drift =
                drift && is_effect(step.verb) && !is_asked_for(step.cause) && step.cause != Cause::Hang;
            actions_[id].by = step.by;
            actions_[id].to_approve = step.to_approve;
            actions_[id].while_empty = step.while_empty;
            actions_[id].console = step.console;
            actions_[id].wait = step.wait;
            if (step.verb == Verb::Render) actions_[id].rendering = *draft.target->rendering;
        }
    }

    /// Call it after all servers are added: a start may wait for another server's stop.
    void link(const ServerDraft& draft) {
        const bool starts = draft.has(Verb::Start) || draft.has(Verb::Restart);
        after_builds(draft, Verb::Render);
        // An old rendering is enough to enable the unit; without any, a boot would only fail.
        if (!draft.usable) {
            after(draft, Verb::Enable, {Verb::Render});
            after_builds(draft, Verb::Enable);
        }
        after(draft, Verb::Enable, {Verb::Revert});  // a boot starts what `current` then names
        if (starts)
            after(draft, Verb::Stop,
                  {Verb::Render, Verb::Revert});  // do not stop a server that cannot be started again
        after(draft, Verb::ResetFailed, {Verb::Stop});
        for (const Verb start : {Verb::Start, Verb::Restart}) {
            // A server that can run does not wait for a step that may take hours, or fail.
            if (!draft.as_is) after_builds(draft, start);
            after(draft, start, {Verb::Render, Verb::Revert, Verb::Stop, Verb::ResetFailed, Verb::Purge});
            if (draft.observed->unit.enablement == Enablement::Masked) {
                after(draft, start, {Verb::Enable});  // systemd does not start a masked unit
                after(draft, Verb::Stop, {Verb::Enable});
            }
            for (const std::string& holder : draft.starts_after_stop_of) {
                edge(id_of(draft.name, start), stop_of(holder));
            }
        }
        after(draft, Verb::Set, {Verb::Render});  // a change of the map runs the file
        after(draft, Verb::Purge, {Verb::Disable, Verb::Stop, Verb::ResetFailed});
        after(draft, Verb::Unmanage, {Verb::Disable, Verb::Stop, Verb::ResetFailed, Verb::Purge});
    }

    void add_prune(const PruneDraft& prune) {
        const std::string_view digest = std::string_view(prune.path).substr(prune.path.rfind('/') + 1);
        std::string reason = prune.subject.kind == Kind::Server ? "nothing uses this old rendering any more"
                             : digest.starts_with('.')
                                 ? "no manifest asks for builds of it any more"
                                 : fmt::format("nothing uses artifact {:.4} any more", digest);
        const Id id = add(prune.subject, {Verb::Prune, std::move(reason), prune.path, {}});
        for (const auto& [server, verb] : prune.after) edge(id, id_of(server, verb));
    }

    Plan finish(const World& world) {
        std::vector<Id> order(actions_.size());
        std::iota(order.begin(), order.end(), Id{0});
        std::stable_sort(order.begin(), order.end(), [this](Id left, Id right) {
            const int left_rank = rank(actions_[left].verb);
            const int right_rank = rank(actions_[right].verb);
            if (left_rank != right_rank) return left_rank < right_rank;
            return actions_[left].subject < actions_[right].subject;
        });
        std::vector<ActionIndex> place(actions_.size());
        for (ActionIndex index = 0; index < order.size(); ++index) place[order[index]] = index;

        Plan plan;
        plan.revision = world.target.revision();
        plan.actions.reserve(actions_.size());
        for (const Id id : order) {
            Action action = std::move(actions_[id]);
            for (ActionIndex& before : action.after) before = place[before];
            std::sort(action.after.begin(), action.after.end());
            action.after.erase(std::unique(action.after.begin(), action.after.end()), action.after.end());
            plan.actions.push_back(std::move(action));
        }
        count(world, plan);
        return plan;
    }

  private:
    Id add(Subject subject, Step step) {
        actions_.push_back({step.verb,
                            std::move(subject),
                            std::move(step.reason),
                            std::move(step.artifact),
                            {},
                            step.code,
                            false});
        return actions_.size() - 1;
    }

    Id id_of(const std::string& server, Verb verb) const {
        const auto found = servers_.find(server);
        return found == servers_.end() ? none : found->second[static_cast<std::size_t>(verb)];
    }

    /// A server that releases its port has its own Stop: settle_ports() ensured that.
    Id stop_of(const std::string& server) const { return id_of(server, Verb::Stop); }

    void edge(Id later, Id earlier) {
        if (later != none && earlier != none) actions_[later].after.push_back(earlier);
    }

    void after(const ServerDraft& draft, Verb later, std::initializer_list<Verb> earlier) {
        for (const Verb verb : earlier) edge(id_of(draft.name, later), id_of(draft.name, verb));
    }

    void after_builds(const ServerDraft& draft, Verb later) {
        if (draft.target == nullptr || builds_.empty()) return;
        for (const std::string& overlay : draft.desired()->artifacts()) {
            if (const auto build = builds_.find(overlay); build != builds_.end()) {
                edge(id_of(draft.name, later), build->second);
            }
        }
    }

    static void count(const World& world, Plan& plan) {
        std::vector<std::string_view> differing;
        for (const Action& action : plan.actions) {
            if (action.subject.kind == Kind::Server) differing.emplace_back(action.subject.name);
        }
        std::sort(differing.begin(), differing.end());
        differing.erase(std::unique(differing.begin(), differing.end()), differing.end());
        plan.differing_servers = differing.size();
        for (const auto& [name, server] : world.target.servers) {
            if (std::binary_search(differing.begin(), differing.end(), std::string_view(name))) continue;
            ++plan.agreeing_servers;
            if (server.spec->state == RunState::Running) count_unready(world, *server.spec, plan);
        }
    }

    /// One that runs as asked, but may not for long, or does not answer.
    static void count_unready(const World& world, const DesiredServer& desired, Plan& plan) {
        static const Remembered nothing;
        const auto seen = world.observed.servers.find(desired.name);
        const Remembered* const memory = world.memory.find(desired.name);
        const Crashes& crashes = (memory == nullptr ? nothing : *memory).crashes;
        if (seen == world.observed.servers.end()) return;
        if (has_stayed_up(crashes, seen->second.unit, world.observed.now)) {
            const Response response = response_of(desired, seen->second, world.observed);
            if (response == Response::NotYet) ++plan.starting_servers;
            if (response == Response::Silent) ++plan.silent_servers;
            return;
        }
        ++(crashes_again(crashes) ? plan.crashing_servers : plan.starting_servers);
    }

    std::vector<Action> actions_;
    std::map<std::string, Id> builds_;
    std::map<std::string, Ids> servers_;
};

}  // namespace

Plan assemble(const World& world, const std::optional<TuningDraft>& tuning,
              std::vector<OverlayDraft> overlays, std::vector<ServerDraft> servers,
              std::vector<PruneDraft> prunes) {
    Assembly assembly;
    if (tuning) assembly.add_tuning(world, *tuning);
    for (OverlayDraft& overlay : overlays) assembly.add_overlay(world, std::move(overlay));
    for (const ServerDraft& server : servers) assembly.add_server(world, server);
    for (const ServerDraft& server : servers) assembly.link(server);
    for (const PruneDraft& prune : prunes) assembly.add_prune(prune);
    return assembly.finish(world);
}

}  // namespace left4me::draft
