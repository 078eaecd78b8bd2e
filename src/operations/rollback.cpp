#include "operations/rollback.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/store/rollbacks.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/artifacts.hpp"
#include "operations/build_view.hpp"
#include "operations/events.hpp"
#include "operations/lock.hpp"

namespace left4me::operations {

namespace {

/// Digits of a digest: as many as messages show.
constexpr std::size_t shortest = 4;

Result<Rollbacks> load(const Context& context) {
    auto rollbacks = load_rollbacks(context.paths);
    if (!rollbacks) return fail(ErrorKind::StateFailed, rollbacks.error());
    return std::move(*rollbacks);
}

Result<void> save(const Context& context, const Rollbacks& rollbacks) {
    if (auto saved = save_rollbacks(context.paths, rollbacks); !saved)
        return fail(ErrorKind::StateFailed, saved.error());
    (void)left4me::trigger(context.paths);  // while the lock is held, so that a daemon acts on it next
    return {};
}

bool uses(const DesiredServer& server, const std::vector<std::string>& overlays) {
    const std::vector<std::string> used = server.artifacts();
    return std::any_of(used.begin(), used.end(), [&](const std::string& overlay) {
        return std::find(overlays.begin(), overlays.end(), overlay) != overlays.end();
    });
}

std::vector<std::string> users_of(const Desired& desired, const std::vector<std::string>& overlays) {
    std::vector<std::string> servers;
    for (const auto& [name, server] : desired.servers) {
        if (uses(server, overlays)) servers.push_back(name);
    }
    return servers;
}

/// What is there to choose from.
std::string there_are(const Seen& seen, const std::string& overlay) {
    const std::string all = artifacts_text(seen, overlay);
    return all.empty() ? "; nothing of it is on this host" : "; there are:\n" + all;
}

/// The one that was built before the present one.
Result<std::string> earlier_artifact(const Seen& seen, const std::string& overlay) {
    const std::string present = usable_generation(seen, overlay);
    const std::vector<Artifact> artifacts = artifacts_of(seen, overlay);
    auto candidate = artifacts.begin();
    // Of one that is rolled back already, one more step. A source that went back to an old content has its
    // predecessor among those that were built later.
    if (seen.intent.rollbacks.contains(overlay)) {
        candidate = std::find_if(artifacts.begin(), artifacts.end(),
                                 [&](const Artifact& one) { return one.digest == present; });
        if (candidate == artifacts.end()) candidate = artifacts.begin();
    }
    candidate =
        std::find_if(candidate, artifacts.end(), [&](const Artifact& one) { return one.digest != present; });
    if (candidate != artifacts.end()) return candidate->digest;
    return fail(
        ErrorKind::NotFound,
        fmt::format("{} has no artifact before {}{}", artifact_owner(seen.desired(), overlay),
                    present.empty() ? "its first" : present.substr(0, shortest), there_are(seen, overlay)));
}

Result<std::string> artifact_meant(const Seen& seen, const std::string& overlay, const std::string& digits) {
    const bool hexadecimal = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (digits.size() < shortest || !hexadecimal)
        return fail(ErrorKind::InvalidArgument,
                    fmt::format("\"{}\" is not the beginning of a digest: at least {} of 0-9 and a-f", digits,
                                shortest));
    std::vector<std::string> meant;
    for (const Artifact& artifact : artifacts_of(seen, overlay)) {
        if (artifact.digest.starts_with(digits)) meant.push_back(artifact.digest);
    }
    if (meant.size() == 1) return meant.front();
    return fail(meant.empty() ? ErrorKind::NotFound : ErrorKind::InvalidArgument,
                fmt::format("{} has {} artifact {}{}", artifact_owner(seen.desired(), overlay),
                            meant.empty() ? "no" : "more than one", digits, there_are(seen, overlay)));
}

}  // namespace

Result<std::string> choose_artifact(const Seen& seen, const std::string& overlay, const std::string& digits) {
    return digits.empty() ? earlier_artifact(seen, overlay) : artifact_meant(seen, overlay, digits);
}

Result<RolledBack> roll_back(Context& context, const Subject& owner, const std::string& digest,
                             const std::string& reason) {
    const std::string& overlay = owner.name;
    // Under the lock: nobody prunes the artifact before the rollback stands.
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    auto rollbacks = load(context);
    if (!rollbacks) return std::unexpected(rollbacks.error());
    const auto view = observe(context);
    if (!view) return std::unexpected(view.error());
    if (!view->target.overlays.contains(overlay) || kind_of_artifacts(view->desired(), overlay) != owner.kind)
        return fail(ErrorKind::NotFound, to_string(owner) + " is not there");
    const auto artifact = choose_artifact(*view, overlay, digest);
    if (!artifact) return std::unexpected(artifact.error());
    const Rollback rollback{*artifact, requester_of(context), view->observed.now, reason};
    rollbacks->insert_or_assign(overlay, rollback);
    if (auto saved = save(context, *rollbacks); !saved) return std::unexpected(saved.error());
    record_event(context, {to_string(owner)}, "RolledBack", rollback_text(rollback));
    return RolledBack{rollback, users_of(view->desired(), {overlay})};
}

Result<OverlaysResumed> resume_overlays(Context& context, Kind kind,
                                        const std::vector<std::string>& overlays) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    auto rollbacks = load(context);
    if (!rollbacks) return std::unexpected(rollbacks.error());
    OverlaysResumed resumed;
    const auto in_force = read_source(context);
    std::vector<std::string> subjects;
    for (const std::string& overlay : overlays) {
        const bool is_another = in_force && in_force->set.overlays.contains(overlay) &&
                                kind_of_artifacts(in_force->set, overlay) != kind;
        if (is_another || rollbacks->erase(overlay) == 0) {
            resumed.not_rolled_back.push_back(overlay);
            continue;
        }
        resumed.overlays.push_back(overlay);
        subjects.push_back(to_string(Subject{kind, overlay}));
    }
    if (resumed.overlays.empty()) return resumed;
    if (auto saved = save(context, *rollbacks); !saved) return std::unexpected(saved.error());
    record_event(context, subjects, "Resumed", "it follows its source again");
    if (in_force) resumed.servers = users_of(in_force->desired(), resumed.overlays);
    return resumed;
}

}  // namespace left4me::operations
