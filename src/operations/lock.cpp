#include "operations/lock.hpp"

namespace left4me::operations {

Result<PassLock> lock_edits(Context& context) {
    auto lock =
        PassLock::acquire_for_edit(context.paths, context.purpose, [&context](const std::string& holder) {
            context.notice("waiting for " + holder + " to finish its edit");
        });
    if (!lock) return fail(ErrorKind::StateFailed, lock.error());
    if (auto finished = context.source->finish_commit(); !finished) {
        return fail(ErrorKind::CommitFailed, finished.error());
    }
    return std::move(*lock);
}

Result<PassLock> lock_host(Context& context) {
    auto lock = PassLock::acquire(context.paths, context.purpose, [&context](const std::string& holder) {
        context.notice("waiting for " + holder + " to finish its pass");
    });
    if (!lock) return fail(ErrorKind::StateFailed, lock.error());
    // An edit that was killed is completed by the next command.
    if (const auto edits = lock_edits(context); !edits) return std::unexpected(edits.error());
    return std::move(*lock);
}

}  // namespace left4me::operations
