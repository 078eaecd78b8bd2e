#pragma once

#include <functional>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/selection.hpp"
#include "operations/source_text.hpp"

namespace left4me::operations {

enum class Change { Created, Configured, Unchanged, Deleted, NotThere };

const char* to_string(Change change);  ///< "created", …, "is not there"

/// What an edit means for one object.
struct Effect {
    DocumentName object;
    Change change = Change::Unchanged;
};

/// The source as it would be after an edit: valid as a whole, nothing written yet.
struct Proposal {
    std::vector<Effect> effects;
    SourceChange change;
    std::string verb;  ///< what the commit calls it, "stop"; empty: the effects' own words
    std::string revision;
    ManifestSet set;
};

/// Puts documents into the source: an object that exists is replaced where it stands, comments of other
/// documents and their order untouched; a new one gets the file KIND-NAME.yaml. Errors name the places that
/// the person wrote.
Result<Proposal> propose(const Context& context, const std::vector<SourceFile>& inputs);

/// Changes spec.state of the selected servers: of all of them, or of none.
Result<Proposal> propose_state(const Context& context, const Selection& selection, RunState state);

/// Takes objects out: those named, or the selected servers. Something that others refer to stays, and the
/// message names them. What is not there is no error.
Result<Proposal> propose_removal(const Context& context, const std::vector<DocumentName>& objects);
Result<Proposal> propose_removal(const Context& context, const Selection& selection);

/// Makes an edit under the lock for edits, whole or not at all. `make` is asked again when the source has
/// moved on between its reading and the commit.
Result<Proposal> commit(Context& context, const std::function<Result<Proposal>()>& make);

/// The manifests beneath a directory, at most `most_bytes` a file, for whoever proposes all of them. Nothing
/// is parsed.
Result<std::vector<SourceFile>> read_manifest_files(const std::string& directory, std::size_t most_bytes);

/// NotDone when a suspension or a missing approval keeps a selected server from the state that a committed
/// edit asked for.
Result<void> check_state(Context& context, const Selection& selection, RunState state);

}  // namespace left4me::operations
