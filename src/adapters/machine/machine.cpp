#include "adapters/machine/machine.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "adapters/overlayfs/mounts.hpp"
#include "reconciler/layers.hpp"
#include "specs/name.hpp"

namespace left4me {

namespace {

bool is_store_verb(Verb verb) {
    return verb == Verb::Build || verb == Verb::Render || verb == Verb::Forget || verb == Verb::Collect;
}

/// What only means "look again" is marked in front of the words.
void explain(Outcome& outcome, const std::string& error) {
    constexpr std::array<std::string_view, 2> marks{"SourceChanged", "InUse"};
    for (const std::string_view mark : marks) {
        if (!error.starts_with(std::string(mark) + ": ")) continue;
        outcome.reason = mark;
        outcome.message = error.substr(mark.size() + 2);
        return;
    }
    outcome.reason = "IOError";
    outcome.message = error;
}

bool writes(Verb verb) { return verb == Verb::Build || verb == Verb::Render; }

}  // namespace

Machine::Machine(Paths paths, std::unique_ptr<Units> units)
    : paths_(std::move(paths)), units_(std::move(units)), store_(paths_) {}

std::expected<Observed, std::string> Machine::observe(const Desired& desired) {
    Observed observed;
    observed.now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    for (const auto& [name, server] : desired.servers) observed.servers.try_emplace(name);

    auto units = units_->list();
    if (!units) return std::unexpected(units.error());
    for (auto& [name, unit] : *units) {
        // A unit by a name that no manifest can have was never ours to touch.
        if (is_valid_name(name)) observed.servers[name].unit = std::move(unit);
    }
    auto mounts = read_mounts(paths_);
    if (!mounts) return std::unexpected(mounts.error());
    for (auto& [name, layers] : *mounts) {
        if (is_valid_name(name)) observed.servers[name].mounted = std::move(layers);
    }
    store_.observe(desired, observed);

    wanted_.clear();
    for (const auto& [name, server] : observed.servers) {
        if (server.wanted) wanted_.emplace(name, *server.wanted);
    }
    return observed;
}

void Machine::begin(const Desired& desired, const Plan& plan, std::span<const ActionIndex> actions) {
    begin_units(plan, actions);
    run_store(desired, plan, actions);
}

void Machine::begin_units(const Plan& plan, std::span<const ActionIndex> actions) {
    std::map<Verb, std::vector<std::string>> batches;
    for (const ActionIndex index : actions) {
        const Action& action = plan.actions[index];
        if (!is_effect(action.verb) || is_store_verb(action.verb)) continue;
        batches[action.verb].push_back(action.subject.name);
        under_way_[{action.verb, action.subject.name}] = index;
    }
    for (const auto& [verb, servers] : batches) units_->begin(verb, servers);
}

void Machine::run_store(const Desired& desired, const Plan& plan, std::span<const ActionIndex> actions) {
    std::vector<Outcome> written;
    for (const ActionIndex index : actions) {
        const Action& action = plan.actions[index];
        if (!is_store_verb(action.verb)) continue;
        const Store::Done done = run(desired, action);
        Outcome outcome{.action = index, .done = done.has_value(), .reason = {}, .message = {}};
        if (!done) explain(outcome, done.error());
        if (done && writes(action.verb)) {
            written.push_back(std::move(outcome));
        } else {
            finished_.push_back(std::move(outcome));
        }
    }
    if (written.empty()) return;
    // Nothing may start from files that a power cut could take away again.
    if (const Store::Done synced = store_.sync(); !synced) {
        for (Outcome& outcome : written) {
            outcome.done = false;
            explain(outcome, synced.error());
        }
    }
    std::move(written.begin(), written.end(), std::back_inserter(finished_));
}

Store::Done Machine::run(const Desired& desired, const Action& action) {
    const std::string& name = action.subject.name;
    switch (action.verb) {
        case Verb::Build: {
            const auto overlay = desired.overlays.find(name);
            if (overlay == desired.overlays.end()) return std::unexpected("no manifest names this overlay");
            return store_.build(name, overlay->second, action.generation);
        }
        case Verb::Render: {
            const auto server = desired.servers.find(name);
            const auto wanted = wanted_.find(name);
            if (server == desired.servers.end() || wanted == wanted_.end()) {
                return std::unexpected("no manifest names this server");
            }
            if (wanted->second.generation != action.generation) {
                return std::unexpected("SourceChanged: its files changed since the plan was made");
            }
            return store_.render(server->second, wanted->second);
        }
        case Verb::Forget:
            return store_.forget(name);
        case Verb::Collect:
            return collect(action.generation);
        default:
            return std::unexpected(std::string(to_string(action.verb)) + " is not a matter of the store");
    }
}

Store::Done Machine::collect(const std::string& generation) {
    // A server may have been started since the plan was made, and layers must not go from under a mount.
    const auto mounts = read_mounts(paths_);
    if (!mounts) return std::unexpected(mounts.error());
    for (const auto& [server, layers] : *mounts) {
        const auto uses = [&](const std::string& layer) { return generation_path(layer) == generation; };
        if (std::any_of(layers.begin(), layers.end(), uses)) {
            return std::unexpected("InUse: server/" + server + " has been mounted with it in the meantime");
        }
    }
    return store_.collect(generation);
}

std::vector<Outcome> Machine::wait() {
    std::vector<Outcome> outcomes(std::make_move_iterator(finished_.begin()),
                                  std::make_move_iterator(finished_.end()));
    finished_.clear();
    // What has ended already is told at once; only then is there a reason to block.
    while (outcomes.empty() && !under_way_.empty()) {
        const auto ended = units_->wait();
        if (ended.empty()) {
            for (const auto& [key, action] : under_way_) {
                outcomes.push_back({action, false, "NoAnswer", "nothing was heard of this request any more"});
            }
            under_way_.clear();
        }
        for (const auto& [verb, unit] : ended) {
            const auto found = under_way_.find({verb, unit.server});
            if (found == under_way_.end()) continue;
            outcomes.push_back({found->second, unit.done, unit.reason, unit.message});
            under_way_.erase(found);
        }
    }
    return outcomes;
}

}  // namespace left4me
