#pragma once

#include <map>
#include <optional>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// left4me's own drop-ins, which left4me-helper writes; see specs/tuning.hpp.
struct DropIns {
    std::map<std::string, std::string>
        texts;  ///< by unit; of one that cannot be read, why not; of one that leaves, ""
    std::optional<TimePoint> written;  ///< when the latest of them was
};

DropIns read_drop_ins(const Paths& paths);

}  // namespace left4me
