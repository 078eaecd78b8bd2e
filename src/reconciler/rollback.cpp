#include "reconciler/rollback.hpp"

#include <fmt/format.h>

namespace left4me {

std::string rollback_text(const Rollback& rollback) {
    return fmt::format("rolled back to artifact {:.4} by {}{}{}", rollback.artifact, rollback.by,
                       rollback.reason.empty() ? "" : ": ", rollback.reason);
}

}  // namespace left4me
