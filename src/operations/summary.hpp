#pragma once

#include <cstddef>
#include <string>

#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// How the whole host stands to its source.
struct Summary {
    std::string source;  ///< its place, as messages call it
    const char* state;   ///< InForce, Invalid, Vanished, Held: what became of the source's own revision
    std::size_t running = 0;
    std::size_t held = 0;  ///< servers that differ and wait
    std::size_t differ = 0;
    std::size_t agree = 0;
};

Summary summary_of(const Context& context, const View& view);

/// What `status -o json` prints; docs/cli.md documents its fields.
Json summary_json(const View& view, const Summary& summary);

}  // namespace left4me::operations
