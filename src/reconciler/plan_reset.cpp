#include <fmt/format.h>

#include <algorithm>

#include "reconciler/backoff.hpp"
#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

bool is_part_of_reset(const Step& step) {
    return step.verb == Verb::Render || step.verb == Verb::Stop || step.verb == Verb::ResetFailed ||
           step.verb == Verb::Purge || step.verb == Verb::Start;
}

void add_missing(ServerDraft& draft, Verb verb, const std::string& reason) {
    if (!draft.has(verb)) draft.steps.push_back({verb, reason, {}, {}});
}

/// Why this very reset could not be carried out; nullptr: it was not tried, or a person asks for another try.
/// Not tried again by itself: each try stops the server.
const Backoff* failed_purge(const World& world, const ServerDraft& draft, const ResetRequest& request) {
    const Remembered* const memory = world.memory.find(draft.name);
    if (memory == nullptr || is_retried(world.intent, memory->backoff)) return nullptr;
    const Backoff& backoff = memory->backoff;
    const bool failed = backoff.verb == Verb::Purge && backoff.failed_at && *backoff.failed_at >= request.at;
    return failed ? &backoff : nullptr;
}

}  // namespace

void plan_reset(const World& world, ServerDraft& draft, bool startable) {
    const auto found = world.intent.resets.find(draft.name);
    if (found == world.intent.resets.end()) return;
    const ResetRequest& request = found->second;
    const bool is_up = occupies(draft.observed->unit.active);
    const bool shall_run = draft.target->spec->state == RunState::Running;
    const std::string text = request_text(request);
    const bool due = is_reset_due(request, *draft.observed);
    const Backoff* const failed = shall_run && due ? failed_purge(world, draft, request) : nullptr;
    if (failed != nullptr) {
        draft.steps.push_back(
            {Verb::Hold,
             fmt::format("{}, but {}; l4d2ctl reconcile tries it again", text, failed->message),
             {},
             HoldReason::ResetPending});
        if (is_up) return;
    } else if (due) {
        if (is_up && shall_run && (!startable || game_is_missing(world, draft))) {
            draft.steps.push_back(
                {Verb::Hold, text + ", but it would not come up again", {}, HoldReason::ResetPending});
            return;
        }
        if (is_up) add_missing(draft, Verb::Stop, text);
        if (is_up && shall_run) add_missing(draft, Verb::Start, text);
        draft.erase(Verb::Restart);
        add_missing(draft, Verb::Purge, "what it wrote is removed: " + text);
    } else if (is_up) {
        return;
    }
    for (Step& step : draft.steps) {
        if (!is_part_of_reset(step)) continue;
        step.cause = Cause::Request;
        step.by = request.by;
    }
}

}  // namespace left4me::draft
