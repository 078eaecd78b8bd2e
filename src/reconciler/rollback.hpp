#pragma once

#include <map>
#include <string>

#include "reconciler/time.hpp"

namespace left4me {

/// A person wants an overlay to stay at one of its artifacts, whatever its source holds.
struct Rollback {
    std::string artifact;  ///< its digest
    std::string by;        ///< never empty
    TimePoint at;
    std::string reason = {};  ///< empty: none was given

    bool operator==(const Rollback&) const = default;
};

/// By overlay. A rollback lasts until somebody resumes the overlay.
using Rollbacks = std::map<std::string, Rollback>;

/// "rolled back to artifact 4f1c by alice: crashes on the third map".
std::string rollback_text(const Rollback& rollback);

}  // namespace left4me
