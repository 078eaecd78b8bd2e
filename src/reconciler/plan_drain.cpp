#include <algorithm>

#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

/// The stop that left4me makes because the manifests say so; nullptr: there is none.
Step* find_stop(ServerDraft& draft) {
    const auto stop = std::find_if(draft.steps.begin(), draft.steps.end(), [](const Step& step) {
        return step.verb == Verb::Stop && step.cause == Cause::Manifest;
    });
    return stop == draft.steps.end() ? nullptr : &*stop;
}

}  // namespace

/// Nobody plays on a unit that is not Active. A server that is deleted is not drained.
void wait_for_players(const World& world, ServerDraft& draft) {
    if (draft.target == nullptr || draft.observed->unit.active != ActiveState::Active) return;
    const Drain* const drain = drain_of(world.intent.stops, draft.name);
    Step* const stop = find_stop(draft);
    if (drain == nullptr || stop == nullptr) return;
    const Remembered* const memory = world.memory.find(draft.name);
    const TimePoint since =
        waits_since(*drain, memory == nullptr ? std::nullopt : memory->draining_since, world.observed.now);
    DesiredServer drained = *draft.desired();
    drained.rollout = rollout_of(*drain, drained.rollout);
    Step step = when_empty(world, drained, *draft.observed,
                           {.text = drain_text(*drain),
                            .since = since,
                            .cause = Cause::Request,
                            .after_deadline = Cause::Request,
                            .code = HoldReason::Draining});
    if (auto hang = decide_hang(world, draft); hang && step.verb == Verb::Hold) step = *std::move(hang);
    if (step.verb == Verb::Restart) step.verb = Verb::Stop;
    step.by = drain->by;
    const bool waits = step.verb == Verb::Hold;
    *stop = std::move(step);
    if (!waits) return;
    if (auto warning = decide_warning(world, drained, *draft.observed, since, "stopped", drain->message))
        draft.steps.push_back(*std::move(warning));
}

}  // namespace left4me::draft
