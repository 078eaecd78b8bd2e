#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reconciler/crashes.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/health.hpp"

namespace left4me::draft {
namespace {

/// Servers of which only a part may be down at the same time.
struct Group {
    std::set<std::string> members;
    std::optional<Share> max_unavailable = {};  ///< nullopt: a tenth
    std::size_t down = 0;

    std::size_t most() const { return max_unavailable.value_or(Share{10, true}).of(members.size()); }
    bool is_full() const { return down >= most(); }
};

const ServerDraft* find(const std::vector<ServerDraft>& drafts, const std::string& name) {
    const auto found = std::lower_bound(
        drafts.begin(), drafts.end(), name,
        [](const ServerDraft& draft, const std::string& wanted) { return draft.name < wanted; });
    return found == drafts.end() || found->name != name ? nullptr : &*found;
}

/// Whether the restart must wait for its turn; any other one is carried out at once.
bool takes_turns(const World& world, const ServerDraft& draft, const Step& step) {
    if (step.verb != Verb::Restart) return false;
    switch (step.cause) {
        case Cause::Hang:
            return false;
        case Cause::Manifest:
            return draft.target->spec->blueprint_rollout.max_unavailable.has_value();
        case Cause::Deadline:
        case Cause::Schedule:
        case Cause::Slow:
            return true;
        case Cause::Request:
            return request_for(world.intent.restarts, draft.name)->staggered;
    }
    return false;
}

/// It runs, but is not Ready, as far as that can be told.
bool is_unready(const World& world, const DesiredServer& desired, const ObservedServer& observed) {
    static const Remembered nothing;
    const Remembered* const memory = world.memory.find(desired.name);
    const Crashes& crashes = (memory == nullptr ? nothing : *memory).crashes;
    if (!has_stayed_up(crashes, observed.unit, world.observed.now)) return true;
    const Response response = response_of(desired, observed, world.observed);
    return response == Response::NotYet || response == Response::Silent;
}

/// Down now, or about to be because of this plan or of what has been begun. With maxUnavailable, one that is
/// not Ready is, too.
bool is_down(const World& world, const std::vector<ServerDraft>& drafts, const std::string& name) {
    const TargetServer* const target = world.target.find(name);
    if (target == nullptr || target->spec->state != RunState::Running) return false;
    if (world.memory.under_way.contains(name)) return true;
    const ServerDraft* const draft = find(drafts, name);
    const auto observed = world.observed.servers.find(name);
    const bool seen = observed != world.observed.servers.end();
    switch (seen ? observed->second.unit.active : ActiveState::Inactive) {
        case ActiveState::Activating:
        case ActiveState::Deactivating:
        case ActiveState::Failed:
            return true;
        case ActiveState::Inactive:
            return draft != nullptr && draft->has(Verb::Start);
        case ActiveState::Active:
            break;
    }
    const DesiredServer& desired = *target->spec;
    if (desired.blueprint_rollout.max_unavailable && is_unready(world, desired, observed->second))
        return true;
    if (draft == nullptr) return false;
    if (draft->has(Verb::Stop)) return true;
    const Step* const restart = draft->find(Verb::Restart);
    return restart != nullptr && !takes_turns(world, *draft, *restart);
}

class Groups {
  public:
    Groups(const World& world, const std::vector<ServerDraft>& drafts) {
        for (const auto& [name, server] : world.target.servers) {
            if (server.spec->state != RunState::Running) continue;
            Group& group = blueprints_[server.spec->blueprint];
            group.members.insert(name);
            group.max_unavailable = server.spec->blueprint_rollout.max_unavailable;
        }
        for (const RestartRequest& request : world.intent.restarts) {
            if (!request.staggered) continue;
            Group& group = requests_.emplace_back();
            for (const auto& [name, invocation] : request.invocations) group.members.insert(name);
        }
        const auto count = [&](Group& group) {
            group.down = static_cast<std::size_t>(
                std::count_if(group.members.begin(), group.members.end(),
                              [&](const std::string& name) { return is_down(world, drafts, name); }));
        };
        for (auto& [name, group] : blueprints_) count(group);
        for (Group& group : requests_) count(group);
    }

    /// A group in which it is not the server's turn; else nullptr.
    const Group* full_group(const ServerDraft& draft, Cause cause) const {
        const Group& blueprint = blueprints_.at(draft.desired()->blueprint);
        const bool takes_turns = cause == Cause::Deadline || cause == Cause::Schedule ||
                                 cause == Cause::Slow || blueprint.max_unavailable;
        if (takes_turns && blueprint.is_full()) return &blueprint;
        const auto full = std::find_if(requests_.begin(), requests_.end(), [&](const Group& group) {
            return group.is_full() && group.members.contains(draft.name);
        });
        return full == requests_.end() ? nullptr : &*full;
    }

    void goes_down(const ServerDraft& draft) {
        ++blueprints_.at(draft.desired()->blueprint).down;
        for (Group& group : requests_) {
            if (group.members.contains(draft.name)) ++group.down;
        }
    }

  private:
    std::map<std::string, Group> blueprints_;
    std::vector<Group> requests_;
};

Step wait_for_turn(const Step& restart, const Group& group) {
    std::string reason =
        group.max_unavailable
            ? fmt::format("{}; {} of {} servers {} not Ready, and maxUnavailable is {}", restart.reason,
                          group.down, group.members.size(), group.down == 1 ? "is" : "are", group.most())
            : fmt::format("{}; waits for {} other restart{}, at most {} of {} servers at once",
                          restart.reason, group.down, group.down == 1 ? "" : "s", group.most(),
                          group.members.size());
    Step hold{Verb::Hold, std::move(reason), {}, code_of_wait(restart.cause)};
    hold.wait = Wait{WaitsFor::Turn};
    return hold;
}

}  // namespace

void limit_restarts(const World& world, std::vector<ServerDraft>& drafts) {
    std::vector<std::pair<ServerDraft*, Step*>> restarts;
    for (ServerDraft& draft : drafts) {
        for (Step& step : draft.steps) {
            if (takes_turns(world, draft, step)) restarts.emplace_back(&draft, &step);
        }
    }
    if (restarts.empty()) return;
    Groups groups(world, drafts);
    for (const auto& [draft, step] : restarts) {
        if (is_down(world, drafts, draft->name)) continue;  // it counts already
        if (const Group* const full = groups.full_group(*draft, step->cause)) {
            *step = wait_for_turn(*step, *full);
        } else {
            groups.goes_down(*draft);
        }
    }
}

void merge_restarts(ServerDraft& draft) {
    const bool is_restarted = draft.has(Verb::Restart);
    const bool starts_now = std::any_of(draft.steps.begin(), draft.steps.end(), [](const Step& step) {
        return is_asked_for(step.cause) && (step.verb == Verb::Restart || step.verb == Verb::Start);
    });
    std::erase_if(draft.steps, [&](const Step& step) {
        return (starts_now && step.code == HoldReason::RolloutPending) ||
               (is_restarted && (step.code == HoldReason::Scheduled || step.code == HoldReason::Degraded));
    });
}

}  // namespace left4me::draft
