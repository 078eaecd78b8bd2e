#pragma once

#include <map>
#include <string>

#include "reconciler/time.hpp"

namespace left4me {

/// A person wants an overlay to stay at one of its artifacts, whatever its source holds.
struct Pin {
    std::string artifact;  ///< its digest
    std::string by;        ///< never empty
    TimePoint at;
    std::string reason = {};  ///< empty: none was given

    bool operator==(const Pin&) const = default;
};

/// By overlay. A pin lasts until somebody resumes the overlay.
using Pins = std::map<std::string, Pin>;

/// "rolled back to artifact 4f1c by alice: crashes on the third map".
std::string pin_text(const Pin& pin);

}  // namespace left4me
