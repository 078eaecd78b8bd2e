#include "reconciler/pin.hpp"

#include <fmt/format.h>

namespace left4me {

std::string pin_text(const Pin& pin) {
    return fmt::format("rolled back to artifact {:.4} by {}{}{}", pin.artifact, pin.by,
                       pin.reason.empty() ? "" : ": ", pin.reason);
}

}  // namespace left4me
