#pragma once

#include <cstddef>
#include <string>

#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// How the whole host compares with its source.
struct Summary {
    std::string source;  ///< its name in messages
    const char* state;   ///< InForce, Invalid, Vanished, Held: the state of the source's newest revision
    std::size_t running = 0;
    std::size_t held = 0;  ///< servers that differ and wait
    std::size_t differ = 0;
    std::size_t agree = 0;
};

Summary summary_of(const Context& context, const View& view);

/// The output of `status -o json`; docs/cli.md documents its fields.
Json summary_json(const View& view, const Summary& summary);

}  // namespace left4me::operations
