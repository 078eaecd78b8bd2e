#include "l4d2d/chronicle.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "adapters/events/record.hpp"
#include "l4d2d/notify.hpp"

namespace left4me {
namespace {

/// Any condition came, went or turned into another; or the source, or its revision did.
bool differ(const Status& before, const Status& after) {
    if (before.source_error != after.source_error ||
        before.last_attempted_revision != after.last_attempted_revision ||
        before.last_applied_revision != after.last_applied_revision) {
        return true;
    }
    return !std::equal(before.servers.begin(), before.servers.end(), after.servers.begin(),
                       after.servers.end(), [](const auto& a, const auto& b) {
                           return a.first == b.first && a.second.conditions == b.second.conditions;
                       });
}

void tell(const std::expected<void, std::string>& recorded) {
    if (!recorded) log(Level::Warning, "what happened could not be written down: " + recorded.error());
}

}  // namespace

void Chronicle::step(const Revisions& revisions, std::shared_ptr<const Desired> desired, StepResult step,
                     const Status& after) {
    if (step.ended.outcomes.empty() && !differ(step.before, after)) return;
    boost::asio::post(
        thread_, [paths = paths_, revisions, desired = std::move(desired), step = std::move(step), after] {
            tell(record_pass(paths, {step.before, *desired, step.ended.plan, step.ended.outcomes,
                                     step.difference, after, revisions.in_force, revisions.invalid, ""}));
        });
}

void Chronicle::no_revision(const Status& before, const Status& after) {
    if (!differ(before, after)) return;
    boost::asio::post(thread_, [paths = paths_, before, after] {
        tell(record(paths, events_of(before, {}, {}, {}, after)));
    });
}

}  // namespace left4me
