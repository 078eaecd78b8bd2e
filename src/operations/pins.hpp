#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operations/edit.hpp"
#include "operations/json.hpp"
#include "operations/view.hpp"
#include "reconciler/pinning.hpp"

namespace left4me::operations {

/// How the pin of one overlay compares with what there is.
struct PinComparison {
    std::string overlay;
    std::string source;                   ///< as pin_identity()
    std::optional<Pin> pinned;            ///< by the lock file, unless that pin is stale
    std::optional<Pin> built;             ///< what the present artifact was built from; nullopt: unknown
    std::optional<Pin> now;               ///< nullopt: it could not be told
    std::string error;                    ///< why
    std::optional<TimePoint> asked = {};  ///< of the last answer: when upstream was asked
    Kind kind = Kind::Overlay;            ///< of what is pinned

    /// What `now` is compared with: without a pin, what was built.
    const std::optional<Pin>& before() const { return pinned ? pinned : built; }
    bool has_moved() const { return now && !changes(before(), *now).empty(); }
};

/// Where PinComparison::now comes from.
enum class PinsOf {
    Upstream,  ///< is asked
    Artifacts  ///< what the present ones were built from
};

/// An overlay or Installation, as a person names it.
struct PinOwner {
    std::optional<Kind> kind;  ///< nullopt: of either kind
    std::string name;
};

/// All overlays and Installations whose source moves, or the named ones. NotFound: there is none of this kind
/// and name; InvalidArgument: its source does not move.
Result<std::vector<PinComparison>> compare_pins(Context& context, const std::vector<PinOwner>& owners,
                                                PinsOf of);

/// Writes what is there now into the lock file of the source, and drops stale pins; the other pins stay.
/// Nothing is left to do if the file says so already.
Result<Proposal> propose_pins(const Context& context, const std::vector<PinComparison>& pins);

/// `overlay`, `pinned`, `moved`, `changes` [{`input`, `before`, `after`}], `error`.
Json pins_json(const std::vector<PinComparison>& pins);

/// "commit 0123456789ab", "no": the cell of a table, about the lock file.
std::string pin_word(const View& view, const std::string& overlay);
/// The same for a page.
std::string pin_text(const View& view, const std::string& overlay);
/// "moved", "same", "error", "-": how upstream compared with what is pinned, or else built, when it was asked
/// last.
std::string upstream_word(const View& view, const std::string& overlay);
std::string upstream_text(const View& view, const std::string& overlay);
/// A sentence for each overlay and Installation whose upstream had moved when it was asked last: what has,
/// and what to do. `sources` have their pins.
std::vector<std::string> upstream_news(const Paths& paths,
                                       const std::map<std::string, OverlaySource>& sources);
/// "04:00; next at 04:00, last at …": when its pin is moved forward; empty: when somebody asks.
std::string refresh_text(const View& view, const std::string& overlay);
/// `pin`, `upstream` and `refresh` of an overlay; empty if its source does not move.
Json pin_json(const View& view, const std::string& overlay);

}  // namespace left4me::operations
