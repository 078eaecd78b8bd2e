#pragma once

#include <memory>
#include <set>
#include <string>

#include "adapters/host/systemd_host.hpp"
#include "adapters/source/revision.hpp"
#include "operations/context.hpp"
#include "operations/selection.hpp"
#include "reconciler/engine.hpp"

namespace left4me::operations {

/// How a front end describes an error of the source.
ErrorKind kind_of(SourceErrorKind error_kind);

/// No revision is in force: what a person is told, and what to do about it.
Error source_error(const Context& context, SourceErrorKind error_kind, std::string message);

/// The revision that the host follows, perhaps the last good one instead of the source's newest.
Result<ActiveRevision> read_source(Context& context);

/// The selected ones of the servers that somebody has asked something for. One that is named need not be
/// known.
Result<std::set<std::string>> select_requested(Context& context, const Selection& selection,
                                               std::set<std::string> requested);

Result<std::unique_ptr<SystemdHost>> connect(const Context& context);

/// One observation of the host. Nothing is written.
struct Seen {
    Target target;
    Observed observed;
    Intent intent;
    Plan plan;      ///< what a pass would do now
    Status status;  ///< current conditions, with the times that earlier passes recorded
    Paths paths;
    std::unique_ptr<SystemdHost> machine;

    const Desired& desired() const { return *target.desired; }
};

Result<Seen> look_at(const Context& context, Desired desired);

/// Everything that a reading operation shows: the revision in force, and how the host compares with it.
struct View : Seen {
    ActiveRevision in_force;
};

Result<View> observe(Context& context);

/// The source's newest revision. A plan against a fallback would hide the very mistake that a person looks
/// for.
Result<Desired> own_revision(Context& context);
/// Any revision that is still known: the person wants to see its errors.
Result<Desired> other_revision(Context& context, const std::string& revision);

}  // namespace left4me::operations
