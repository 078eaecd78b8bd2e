#include "adapters/sources/manifests.hpp"

#include <utility>

#include "adapters/events/origin.hpp"
#include "adapters/sources/open.hpp"
#include "adapters/store/requests.hpp"

namespace left4me {

Manifests::Manifests(Paths paths, const Config& config)
    : paths_(std::move(paths)), limits_(config.limits), source_(open_source(paths_, config)) {}

void Manifests::follow_source_of(const Config& config) {
    limits_ = config.limits;
    source_ = open_source(paths_, config);
    read_.clear();
}

void Manifests::read() {
    // A drain is noted before its edit, and a start takes it back after its own: only requests that are the
    // same before and after the source was read belong to it. An approval decides whether a revision may be
    // followed at all.
    StopRequests before = load_stop_requests(paths_).value_or(StopRequests{});
    auto snapshot = source_->read();
    Intent intent = load_intent(paths_);
    constexpr int patience = 5;
    for (int reading = 0; reading < patience && intent.stops != before; ++reading) {
        before = std::move(intent.stops);
        snapshot = source_->read();
        intent = load_intent(paths_);
    }
    const bool same_intent = intent == intent_;
    intent_ = std::move(intent);
    // Usually nothing has changed, and then parsing would be most of the work.
    if (snapshot && desired_ && error_.empty() && snapshot->revision == read_ && same_intent) return;
    const auto in_force = revision_in_force(paths_, *source_, std::move(snapshot), limits_);
    if (!in_force) {
        trouble_ = in_force.error().error_kind;
        error_ = in_force.error().message;
        return;
    }
    follow(*in_force);
}

void Manifests::follow(const ActiveRevision& in_force) {
    trouble_ = in_force.error_kind;
    error_ = in_force.error;
    read_ = in_force.snapshot.revision;
    if (in_force.error_kind == SourceErrorKind::None) {
        if (const auto kept = keep_last_good(paths_, in_force.snapshot); !kept) {
            // Followed anyway: being unable to fall back to it later is no reason to make servers wait.
            error_ = "the revision cannot be stored: " + kept.error();
        }
    }
    revisions_ = revisions_of(in_force);
    desired_ = std::make_shared<const Desired>(in_force.desired());
}

}  // namespace left4me
