#pragma once

#include <optional>
#include <string>

#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// How an overlay stands to its source.
enum class BuildState {
    Built,        ///< what the source holds is on this host
    Building,     ///< its unit is at it
    Waiting,      ///< it will be built
    Failed,       ///< the last build; it is tried again
    Canceled,     ///< by a person
    Reading,      ///< the source is being read for the first time
    Unavailable,  ///< the source cannot be used
};

const char* to_string(BuildState state);

BuildState build_state(const View& view, const std::string& overlay);

/// "building 45%", "downloading 45%", "running": its script.
std::string progress_word(const BuildProgress& progress);
/// What the build of an overlay says of itself now; nullopt: it is not being built, or has only begun.
std::optional<BuildProgress> progress_of_build(const Paths& paths, const std::string& overlay);
/// "yes", "no", "building 45%", "failed", …: the cell of a table.
std::string build_word(const View& view, const std::string& overlay);
/// "under way: 12 of 340 files, 1.5 of 20.1 GiB", "failed 3 times, …": the line of a page.
std::string build_text(const View& view, const std::string& overlay);
/// `state`, and where there is one `progress`, `failure`, `last`.
Json build_json(const View& view, const std::string& overlay);

/// The artifact that servers can have: the one that a person rolled back to, or what the source asks for or,
/// while that is not built, the last one that was; empty if there is none.
std::string usable_generation(const Seen& seen, const std::string& overlay);
/// What the content of that artifact is called at its source, as a commit; empty: nothing.
std::string built_revision(const View& view, const std::string& overlay);

}  // namespace left4me::operations
