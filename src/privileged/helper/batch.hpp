#pragma once

#include <memory>
#include <string>
#include <vector>

#include "privileged/helper/join.hpp"

namespace left4me::helper {

/// The result for one server of a request.
struct Entry {
    std::string name;
    std::string job;    ///< object path; empty: nothing to wait for
    std::string error;  ///< empty: accepted
};

/// One request with all its servers, in the caller's order. The reply is sent when the last callback that
/// holds it releases it.
struct Batch {
    std::vector<Entry> entries;
    Join answer;
};
using BatchPtr = std::shared_ptr<Batch>;

}  // namespace left4me::helper
