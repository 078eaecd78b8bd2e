#pragma once

#include <optional>
#include <string>
#include <vector>

#include "specs/manifest.hpp"

namespace left4me {

/// Identifies what is pinned of a source that moves: its pin says nothing of another one. nullopt: the source
/// does not move, or is pinned by the manifest.
std::optional<std::string> pin_identity(const OverlaySource& source);

/// nullopt: it has none.
std::optional<Pin> pin_of(const OverlaySource& source);

/// The source with this pin instead of any other; unchanged if the pin is of another kind of source.
OverlaySource with_pin(OverlaySource source, const Pin& pin);
OverlaySource without_pin(OverlaySource source);

/// The fingerprints of the source with each pin that an artifact satisfies which was built from `pin`: the
/// digests that are known only since may be in the pin or not.
std::vector<std::string> pinned_inputs(const OverlaySource& source, const Pin& pin);

/// An entry of the lock file that pins nothing.
struct StalePin {
    std::string overlay;
    std::string why;  ///< "no manifest names the overlay"
    Location where;
};

/// Those of the set's lock file, by overlay.
std::vector<StalePin> stale_pins(const ManifestSet& set);
/// "left4me.lock:5:3: the pin of overlay/maps is not used: …"
std::string to_text(const StalePin& stale);

/// The overlay's source with its pin, if the lock file has one that is not stale.
OverlaySource pinned_source(const ManifestSet& set, const std::string& overlay);

/// What differs between two pins of a source.
struct PinChange {
    std::string input;   ///< "commit", the number of an item, the name of a map
    std::string before;  ///< empty: it was not there
    std::string after;   ///< empty: it is not there any more

    bool operator==(const PinChange&) const = default;
};

/// In order. `before`: nullopt: nothing was pinned. Digests that only one of them knows are no difference.
std::vector<PinChange> changes(const std::optional<Pin>& before, const Pin& after);

/// `now` with the digests that `known` has of the same versions.
Pin with_known_digests(Pin now, const std::optional<Pin>& known);

/// "commit 0123456789ab", "12 items", "107 maps".
std::string to_text(const Pin& pin);

}  // namespace left4me
