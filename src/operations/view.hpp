#pragma once

#include <memory>

#include "adapters/machine/machine.hpp"
#include "adapters/source/revision.hpp"
#include "operations/context.hpp"
#include "reconciler/engine.hpp"

namespace left4me::operations {

/// How a front end speaks of the trouble of a source.
ErrorKind kind_of(Trouble trouble);

/// No revision is in force: what a person is told, and what to do about it.
Error source_error(const Context& context, Trouble trouble, std::string message);

/// The revision that the host follows, perhaps the last good one instead of the source's own.
Result<InForce> read_source(Context& context);

Result<std::unique_ptr<Machine>> connect(const Context& context);

/// What one look at the host shows. Nothing is written.
struct Seen {
    Target target;
    Observed observed;
    Intent intent;
    Plan plan;      ///< what a pass would do now
    Status status;  ///< conditions as they are now, with the times that earlier passes have noted
    std::unique_ptr<Machine> machine;

    const Desired& desired() const { return *target.desired; }
};

Result<Seen> look_at(const Context& context, Desired desired);

/// Everything a reading operation shows: the revision in force, and how the host stands to it.
struct View : Seen {
    InForce in_force;
};

Result<View> look(Context& context);

/// The revision that the source itself stands at. A plan made against a fallback would hide the very mistake
/// that a person looks for.
Result<Desired> own_revision(Context& context);
/// Any revision that is still known: what is wrong with it is what a person wants to see.
Result<Desired> other_revision(Context& context, const std::string& revision);

}  // namespace left4me::operations
