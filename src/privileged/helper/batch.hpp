#pragma once

#include <memory>
#include <string>
#include <vector>

#include "privileged/helper/join.hpp"

namespace left4me::helper {

/// What the caller hears about one of its servers.
struct Entry {
    std::string name;
    std::string job;    ///< object path; empty: there was nothing to wait for
    std::string error;  ///< empty: accepted
};

/// One request: every server that was named, in the caller's order. Its answer is sent when the last callback
/// that holds it has let go.
struct Batch {
    std::vector<Entry> entries;
    Join answer;
};
using BatchPtr = std::shared_ptr<Batch>;

}  // namespace left4me::helper
