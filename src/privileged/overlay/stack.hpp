#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay {

/// The kernel's limit on lower layers (OVL_MAX_STACK).
inline constexpr std::size_t max_layers = 500;

/// One lower layer: its name relative to the state directory, and the checked directory, held open.
struct Layer {
    std::string name;
    Fd directory;
};

/// What the current rendering of a server requests to be mounted, uppermost first.
struct Stack {
    std::string digest;
    std::vector<Layer> layers;
    std::vector<std::string> writable;  ///< what the game may keep: patterns, is_writable_pattern()

    std::vector<std::string> names() const;
};

/// The names of the layers of one rendering, `instances/NAME/DIGEST`. Only their syntax is checked.
Result<std::vector<std::string>> read_layer_names(int state, const std::string& server,
                                                  const std::string& digest);

/// What the game may keep across starts, from the rendering's file `writable`. Without that file it is
/// default_writable: version 0.1 did not write it, and renderings with the default still do not.
Result<std::vector<std::string>> read_writable(int state, const std::string& server,
                                               const std::string& digest);

/// Reads `instances/NAME/current` and the `layers` of that rendering. Their author is not trusted: a stack is
/// this server's own instance layer, then artifacts of overlays, then `installation` or the artifact of an
/// Installation; anything else is refused.
Result<Stack> read_stack(int state, const std::string& server);

}  // namespace left4me::overlay
